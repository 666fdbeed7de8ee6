import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { Backend, WorkspaceFiles } from '../../../src/schedule/backend.ts';
import { openSessions } from '../../../src/sessions/open.ts';
import { emit, fakeBackend, noFiles } from '../support/fake-backend.ts';
import { config } from '../support/settings.ts';

const { signal } = new AbortController();
const call = { caller: '', signal };

function sessionsOn(t: TestContext, backend: Partial<Backend>) {
  const environments = { prepare: () => Promise.reject(new Error('no environments')) };
  const events = { notExtended: () => undefined, ended: () => undefined };
  const sessions = openSessions({ ...fakeBackend(), ...backend }, environments, config(), events);
  t.after(() => sessions.close());
  return sessions;
}

/** A backend whose sessions have this workspace. */
function withFiles(files: Partial<WorkspaceFiles>): Partial<Backend> {
  return {
    openSession: () =>
      Promise.resolve({
        placedAt: 0,
        gone: new AbortController().signal,
        preload: () => Promise.resolve({}),
        files: { ...noFiles, ...files },
        run: () => emit([]),
        dispose: () => Promise.resolve(),
        extend: () => Promise.resolve(),
        end: () => Promise.resolve(),
      }),
  };
}

describe('the files of a session', () => {
  it('have times that can be told, whatever a program has given them', async (t) => {
    const times = [1.5, -1, 9e12, 1e300, -9e12];
    const entries = times.map((modified) => ({ path: 'f', kind: 'file' as const, size: 0, modified }));
    const list = () => Promise.resolve({ entries, left_out: 0 });
    const sessions = sessionsOn(t, withFiles({ list }));
    const { session_id } = await sessions.create({ requirements: [], limits: {} }, call);
    const listing = await sessions.list(session_id, '', { recursive: true }, call);
    assert.deepEqual(
      listing.entries.map(({ modified }) => modified),
      [
        '1970-01-01T00:00:01.500Z',
        '1969-12-31T23:59:59.000Z',
        '9999-12-31T23:59:59.999Z',
        '9999-12-31T23:59:59.999Z',
        '0000-01-01T00:00:00.000Z',
      ],
    );
  });
});

/** Another server, which answers all that it is asked with this. */
async function peer(t: TestContext, status: number, body: object): Promise<string> {
  const server = createServer((_req, res) => {
    res.writeHead(status).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a cancellation that others are told of', () => {
  const by = { executionId: 'a'.repeat(26), caller: '' };

  it('has been heard where one of them has the run, and has failed where none has and one is ill', async (t) => {
    const ill = await peer(t, 500, { error: { code: 'internal', message: 'It is ill.' } });
    const has = await peer(t, 202, {});
    const hasNot = await peer(t, 404, { error: { code: 'not_found', message: 'There is none.' } });
    const cancelAt = (urls: string[]) =>
      sessionsOn(t, { sessionOwners: () => Promise.resolve(urls) }).cancelElsewhere(by, signal);
    assert.equal(await cancelAt([ill, hasNot, has]), true);
    assert.equal(await cancelAt([hasNot, hasNot]), false);
    await assert.rejects(cancelAt([hasNot, ill]), { code: 'internal', message: 'It is ill.' });
  });
});
