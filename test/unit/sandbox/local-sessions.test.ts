import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionSpec } from '../../../src/schedule/backend.ts';
import { localSessions } from '../../../src/sandbox/local-sessions.ts';
import { fakeBackend } from '../support/fake-backend.ts';

const never = new AbortController().signal;

const spec = (key: string, caller = 'alice'): SessionSpec => ({
  key,
  caller,
  kind: { image: '', runtimeClass: '', cpu: 1, memory_mb: 64 },
  maxAgeSeconds: 100,
  lifeSeconds: 10,
});

describe('local sessions', () => {
  it('are found by their caller, and for a while after their end', async () => {
    const backend = fakeBackend();
    const sessions = localSessions((asked, signal) => backend.open(asked, signal), 'here');
    const session = await sessions.openSession(spec('a'), never);
    assert.equal(backend.opened[0]?.lifeSeconds, 100);
    const trace = { replica: 'here', url: '', ended: undefined };
    assert.deepEqual(await sessions.findSession('a', 'alice', never), trace);
    assert.equal(await sessions.findSession('a', 'bob', never), undefined);
    assert.deepEqual(await sessions.sessionsOf('alice', never), ['a']);
    await assert.rejects(sessions.openSession(spec('a'), never), { name: 'SessionThere' });
    await session.end('idle');
    assert.equal(backend.disposed, 1);
    assert.deepEqual(await sessions.findSession('a', 'alice', never), { ...trace, ended: 'idle' });
    assert.deepEqual(await sessions.sessionsOf('alice', never), []);
    await sessions.openSession(spec('a'), never);
    assert.deepEqual(await sessions.findSession('a', 'alice', never), trace);
  });

  it('are not there where their sandbox did not start', async () => {
    const sessions = localSessions(() => Promise.reject(new Error('no room')), 'here');
    await assert.rejects(sessions.openSession(spec('a'), never), /no room/);
    assert.equal(await sessions.findSession('a', 'alice', never), undefined);
  });
});
