import type { TestContext } from 'node:test';
import type { Service } from '../../src/schedule/service.ts';
import { doorsApp, listen } from '../../src/serve/http.ts';
import type { ArtifactStore } from '../../src/artifacts/store.ts';
import { createLog } from '../../src/observe/log.ts';
import { fakeSessions } from '../unit/support/fake-sessions.ts';
import { doorSettings, offeringFactory, offers } from './offers/fixture.ts';

export const callerHeader = 'x-caller';
export const owner = 'alice';

/** REST and MCP before a session in memory, which is alice's. */
export async function sessionsDoor(t: TestContext) {
  const files = new Map<string, Buffer>();
  const sessions = fakeSessions(owner, files);
  const settings = { ...doorSettings, callerHeader };
  const behind = {
    service: { cancelRequest: () => Promise.resolve() } as unknown as Service,
    sessions,
    artifacts: {} as ArtifactStore,
    offers: offers(owner),
  };
  const failures: string[] = [];
  const factory = offeringFactory({
    settings,
    sessions,
    onError: (where, error) => failures.push(`${where}: ${String(error)}`),
  });
  const app = { ...settings, allowedHosts: ['127.0.0.1'] };
  const doors = doorsApp(behind, factory, app, createLog('silent'));
  const server = await listen(doors.app, '127.0.0.1', 0);
  t.after(async () => {
    await doors.close();
    await server.close();
  });
  const ask = (method: string, path: string, body?: string | Uint8Array, headers: object = {}) =>
    fetch(server.url + path, {
      method,
      headers: { [callerHeader]: owner, ...headers },
      ...(body !== undefined && { body }),
    });
  return { url: server.url, sessions, files, failures, ask };
}
