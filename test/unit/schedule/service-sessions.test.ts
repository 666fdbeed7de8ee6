import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { executionRequest } from '../../../src/request/execution.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import type { SessionRuns } from '../../../src/schedule/turn.ts';
import { aborted, fakeBackend, hang } from '../support/fake-backend.ts';
import { numbered, started } from '../support/frames.ts';
import { result as ended } from '../support/result.ts';
import { serviceOn } from '../support/service.ts';
import { config } from '../support/settings.ts';
import { passedBy } from '../support/stages.ts';

const request = executionRequest(config()).parse({ code: '' });
const { signal } = new AbortController();

describe('a run in a session', () => {
  const inSession = { ...request, session_id: `ses_${'a'.repeat(26)}` };

  it('that is another server’s is passed on, and counted there', async () => {
    const passed: string[] = [];
    const sessions: SessionRuns = {
      ...passedBy.sessions,
      elsewhere: () =>
        Promise.resolve(({ executionId, onEvent }) => {
          passed.push(executionId);
          onEvent?.({ type: 'starting', execution_id: executionId });
          return Promise.resolve(ended);
        }),
    };
    const backend = fakeBackend();
    const { service, metrics } = serviceOn(backend, 8, sessions);
    const events: string[] = [];
    const onEvent = ({ type }: { type: string }) => events.push(type);
    assert.equal(await service.execute(inSession, { executionId: 'one', signal, onEvent }), ended);
    assert.deepEqual([passed, events, backend.opened], [['one'], ['starting'], []]);
    assert.match(await metrics.text(), /runs_total\{backend="local",status="succeeded"\} 0/);
  });

  it('that another server has is waited for by one that closes, and none is passed on any more', async () => {
    const over = Promise.withResolvers<typeof ended>();
    const elsewhere = () => Promise.resolve(() => over.promise);
    const { service } = serviceOn(fakeBackend(), 8, { ...passedBy.sessions, elsewhere });
    const running = service.execute(inSession, { executionId: 'one', signal });
    await nextTurn();
    let drained = false;
    const draining = service.drain(60).then(() => (drained = true));
    await assert.rejects(service.execute(inSession, { executionId: 'two', signal }), {
      code: 'shutting_down',
    });
    await nextTurn();
    assert.equal(drained, false);
    over.resolve(ended);
    assert.equal(await running, ended);
    await draining;
  });

  it('that fails is logged without what its caller named', async () => {
    const elsewhere = () =>
      Promise.reject(new ServiceError('file_unusable', '"secret.txt" cannot be opened.'));
    const lines: object[] = [];
    const { service } = serviceOn(fakeBackend(), 8, { ...passedBy.sessions, elsewhere }, lines);
    await assert.rejects(service.execute(inSession, { executionId: 'one', signal }), /secret/);
    assert.deepEqual(lines, [{ execution_id: 'one', error: 'file_unusable', why: undefined }]);
  });

  it('goes by an id that no other run goes by', async () => {
    const { service } = serviceOn(fakeBackend({ frames: (_program, run) => hang(numbered(started), run) }));
    const stop = new AbortController();
    const first = service.execute(request, { executionId: 'one', signal: stop.signal });
    await assert.rejects(service.execute(request, { executionId: 'one', signal }), {
      code: 'invalid_request',
      message: 'There is an execution one already.',
    });
    stop.abort();
    await first;
  });

  it('has been cancelled where its server was not found in time', async () => {
    const stop = new AbortController();
    const elsewhere = () => aborted(stop.signal);
    const { service } = serviceOn(fakeBackend(), 8, { ...passedBy.sessions, elsewhere });
    const running = service.execute(inSession, { executionId: 'one', signal: stop.signal });
    stop.abort();
    await assert.rejects(running, { name: 'ServiceError', code: 'cancelled' });
  });
});
