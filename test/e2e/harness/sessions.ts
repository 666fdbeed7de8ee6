import type { ExecutionRequestInput } from '../../../src/request/execution.ts';
import type { ExecutionResult } from '../../../src/result/execution-result.ts';
import type { SessionView, WorkspaceFile, WorkspaceListing } from '../../../src/result/session.ts';
import { type Caller, type Fetch, type RunOptions, structuredOf } from './clients.ts';

/** A session as one client has it. Each call throws ToolError where it is refused. */
export interface Session {
  id: string;
  run(code: string, more?: Partial<ExecutionRequestInput>, options?: RunOptions): Promise<ExecutionResult>;
  list(path?: string, recursive?: boolean): Promise<WorkspaceListing>;
  read(path: string): Promise<WorkspaceFile>;
  write(path: string, content: string): Promise<void>;
  end(): Promise<void>;
}

/** A new session, small unless it is asked to be otherwise. */
export async function createSession(caller: Caller, request: Record<string, unknown> = {}): Promise<Session> {
  const asked = { limits: { cpu: 0.25, memory_mb: 128 }, ...request };
  const view = structuredOf(await caller.tool('create_session', asked)) as SessionView;
  return session(caller, view.session_id);
}

/** A session that somebody has created. */
export function session(caller: Caller, session_id: string): Session {
  const ask = async (tool: string, request: object) =>
    structuredOf(await caller.tool(tool, { session_id, ...request }));
  return {
    id: session_id,
    run: (code, more, options) => caller.run({ session_id, code, ...more }, options),
    list: async (path = '', recursive = false) =>
      (await ask('list_files', { path, recursive })) as WorkspaceListing,
    read: async (path) => (await ask('read_file', { path })) as WorkspaceFile,
    async write(path, content) {
      await ask('write_file', { path, content });
    },
    async end() {
      await ask('end_session', {});
    },
  };
}

/** Sends its requests as a caller, as a proxy in front of the server would. */
export function fetchAs(header: string, user: string): Fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set(header, user);
    return fetch(input, { ...init, headers });
  };
}
