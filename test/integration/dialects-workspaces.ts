import type { TestContext } from 'node:test';
import { createShelf } from '../../src/artifacts/shelf.ts';
import { folderBlobs } from '../../src/artifacts/folder.ts';
import type { Config } from '../../src/config.ts';
import { createLog } from '../../src/observe/log.ts';
import { executionRequest, type ExecutionRequest } from '../../src/request/execution.ts';
import { ServiceError } from '../../src/result/errors.ts';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { WorkspaceFiles } from '../../src/schedule/backend.ts';
import type { RunOptions } from '../../src/schedule/run.ts';
import { callerBy } from '../../src/serve/caller.ts';
import type { Dialect } from '../../src/serve/dialects/dialect.ts';
import { dialectApp } from '../../src/serve/dialects/doors.ts';
import { listen } from '../../src/serve/http.ts';
import type { Sessions } from '../../src/sessions/sessions.ts';
import { temporaryFolder } from '../unit/support/blobs.ts';
import { result } from '../unit/support/result.ts';
import { config } from '../unit/support/settings.ts';
import { offers } from './offers/fixture.ts';

/** What is in a workspace, by path: the bytes of a file, or what else it is. */
export type Workspace = Map<string, Buffer | 'folder' | 'link'>;

export type Program = (
  request: ExecutionRequest,
  workspace: Workspace,
  options: RunOptions,
) => Partial<ExecutionResult> | Promise<Partial<ExecutionResult>>;

/** The door of a dialect on a port, before workspaces in memory. `program` is what runs do. */
export async function dialectDoor(
  t: TestContext,
  dialect: Dialect,
  { program = () => ({}), settings = {} }: { program?: Program; settings?: Partial<Config> } = {},
) {
  const workspaces = new Map<string, Workspace>();
  const requests: ExecutionRequest[] = [];
  const sessions = sessionsIn(workspaces);
  const given = config({ logLevel: 'silent', ...settings });
  const behind = {
    service: {
      async execute(request: ExecutionRequest, options: RunOptions) {
        requests.push(request);
        const workspace = workspaces.get(request.session_id ?? '') ?? new Map<string, Buffer>();
        const ended = { ...result, ...(await program(request, workspace, options)) };
        await options.around?.after(filesOf(sessions, request, options), options.signal);
        return ended;
      },
      cancelRequest: () => Promise.resolve(),
    },
    requestSchema: executionRequest(given),
    sessions,
    shelf: createShelf(folderBlobs(await temporaryFolder(t))),
    offers: offers(''),
    piston: undefined,
    pistonPlaces: { enter: () => Promise.reject(new Error('unused')) },
    settings: given,
    callerOf: callerBy(given.callerHeader),
    log: createLog('silent'),
  };
  const { app, close } = dialectApp(dialect, behind, behind.service);
  const server = await listen(app, '127.0.0.1', 0);
  t.after(async () => {
    await close();
    await server.close();
  });
  return { url: server.url, workspaces, requests, behind };
}

/** The handle of the session of a name and its caller. */
export function handleOf(name: string, caller = ''): string {
  return `ses_${Buffer.from(`${caller}/${name}`).toString('base64url').padEnd(20, '_')}`;
}

/** The workspace of a run in a session. */
function filesOf(
  sessions: Sessions,
  { session_id = '' }: ExecutionRequest,
  { caller = '' }: RunOptions,
): WorkspaceFiles {
  const unused = () => Promise.reject(new Error('unused'));
  return {
    read: unused,
    write: unused,
    async list(path, options, signal) {
      const { entries, left_out } = await sessions.list(session_id, path, options, { caller, signal });
      return { entries: entries.map((entry) => ({ ...entry, modified: 0 })), left_out };
    },
  };
}

function sessionsIn(workspaces: Map<string, Workspace>): Sessions {
  const of = (id: string) => {
    const workspace = workspaces.get(id);
    if (!workspace) throw new ServiceError('session_ended', 'The session was ended.');
    return workspace;
  };
  const at = (id: string, path: string) => {
    const node = of(id).get(path);
    const isBelow = [...of(id)].some(([each, other]) => other !== 'folder' && path.startsWith(`${each}/`));
    if (isBelow) throw new ServiceError('file_unusable', `${path} is below what is no folder.`);
    if (node === undefined) throw new ServiceError('file_not_found', `There is no ${path}.`);
    return node;
  };
  const unused = () => Promise.reject(new Error('unused'));
  return {
    create: unused,
    write: unused,
    async named(name, { caller }) {
      const id = handleOf(name, caller);
      const workspace: Workspace = new Map([
        ['mounts', 'folder'],
        ['output', 'folder'],
      ]);
      workspaces.set(id, workspaces.get(id) ?? workspace);
      return Promise.resolve(id);
    },
    async findNamed(name, { caller }) {
      const id = handleOf(name, caller);
      return Promise.resolve(workspaces.has(id) ? id : undefined);
    },
    async end(id) {
      await Promise.resolve();
      workspaces.delete(id);
    },
    async list(id, path, { recursive }) {
      await Promise.resolve();
      if (path !== '' && at(id, path) !== 'folder')
        throw new ServiceError('file_unusable', `${path} is no folder.`);
      const below = path === '' ? '' : `${path}/`;
      const entries = [...of(id)]
        .filter(([each]) => each.startsWith(below) && each !== path)
        .filter(([each]) => recursive || !each.slice(below.length).includes('/'))
        .map(([each, node]) => ({
          path: each,
          kind: node === 'folder' ? node : node === 'link' ? ('other' as const) : ('file' as const),
          size: typeof node === 'string' ? 0 : node.length,
          modified: '2026-01-01T00:00:01.000Z',
        }));
      return { entries, left_out: 0 };
    },
    async read(id, path, maxBytes) {
      await Promise.resolve();
      const node = at(id, path);
      if (typeof node === 'string') throw new ServiceError('file_unusable', `${path} is no regular file.`);
      if (node.length > maxBytes) throw new ServiceError('too_large', `${path} is larger than ${maxBytes}.`);
      return node;
    },
  };
}
