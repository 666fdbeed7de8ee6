import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { folderBlobs } from '../../src/artifacts/folder.ts';
import { createShelf, type Shelf } from '../../src/artifacts/shelf.ts';
import type { Config } from '../../src/config.ts';
import { createLog } from '../../src/observe/log.ts';
import type { Piston } from '../../src/piston/piston.ts';
import { executionRequest, type ExecutionRequest } from '../../src/request/execution.ts';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { RunOptions } from '../../src/schedule/run.ts';
import { callerBy } from '../../src/serve/caller.ts';
import type { Behind, Dialect } from '../../src/serve/dialects/dialect.ts';
import { dialectApp } from '../../src/serve/dialects/doors.ts';
import { listen } from '../../src/serve/http.ts';
import type { Sessions } from '../../src/sessions/sessions.ts';
import { memoryWorkspace, type MemoryWorkspace } from '../unit/support/memory-workspace.ts';
import { result } from '../unit/support/result.ts';
import { config } from '../unit/support/settings.ts';

/** What stands for a program: it sees the request and the workspace, and says how it ends. Throws what the service does. */
export type Script = (
  request: ExecutionRequest,
  workspace: MemoryWorkspace,
  options: RunOptions,
) => Partial<ExecutionResult> | Promise<Partial<ExecutionResult>>;

export interface DialectDoor {
  url: string;
  script: Script;
  /** Runs that began, in their order. */
  runs: { request: ExecutionRequest; options: RunOptions }[];
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Posts JSON. */
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; body: unknown }>;
}

/** One dialect on a port of its own, before a service whose programs are scripts and a shelf that is a folder. */
export async function dialectDoor(
  t: TestContext,
  dialect: Dialect,
  {
    settings: changes = {},
    piston,
    shelf,
  }: { settings?: Partial<Config>; piston?: Piston; shelf?: Partial<Shelf> } = {},
): Promise<DialectDoor> {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-test-'));
  const settings = config({ allowedHosts: ['127.0.0.1'], ...changes });
  const door: DialectDoor = {
    url: '',
    script: () => ({}),
    runs: [],
    ask: (path, init) => fetch(door.url + path, init),
    async post(path, body, headers = {}) {
      const response = await door.ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
  };
  const behind: Behind = {
    service: {
      async execute(request, options) {
        door.runs.push({ request, options });
        const workspace = memoryWorkspace();
        await options.around?.before(workspace.files, options.signal);
        const said = await door.script(request, workspace, options);
        await options.around?.after(workspace.files, options.signal);
        return { ...result, stdout: '', ...said };
      },
    },
    requestSchema: executionRequest(settings),
    sessions: {} as Sessions,
    shelf: { ...createShelf(folderBlobs(folder)), ...shelf },
    offers: {} as Behind['offers'],
    piston,
    pistonPlaces: { enter: () => Promise.resolve(() => undefined) },
    settings,
    callerOf: callerBy(settings.callerHeader),
    log: createLog('silent'),
  };
  const { app, close } = dialectApp(dialect, behind, { cancelRequest: () => Promise.resolve() });
  const server = await listen(app, '127.0.0.1', 0);
  door.url = server.url;
  t.after(async () => {
    await close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return door;
}
