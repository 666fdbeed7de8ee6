import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { executionRequest } from '../../../src/request/execution.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import type { ExecutionResult } from '../../../src/result/execution-result.ts';
import type { RunEvent, RunOptions } from '../../../src/schedule/run.ts';
import { stops } from '../../../src/schedule/stop.ts';
import { type Elsewhere, pass } from '../../../src/sessions/pass.ts';
import { aborted, noFiles } from '../support/fake-backend.ts';
import { numbered, started } from '../support/frames.ts';
import { mockTimers } from '../support/mock-timers.ts';
import { result } from '../support/result.ts';
import { config } from '../support/settings.ts';

const request = executionRequest(config()).parse({ code: '' });
const starting: RunEvent = { type: 'starting', execution_id: 'id' };

/** A run that was passed on to a server which the test plays, and which does not know it where it is to be cancelled. */
async function passedOn(t: TestContext, around?: RunOptions['around']) {
  const timers = mockTimers(t);
  const answer = Promise.withResolvers<ExecutionResult>();
  const stop = new AbortController();
  let say: (event: RunEvent) => void = () => undefined;
  const there: Elsewhere = {
    peer: {
      execute(_request, { onEvent, signal }) {
        say = onEvent;
        return Promise.race([answer.promise, aborted(signal)]);
      },
      cancel: () => Promise.reject(new ServiceError('not_found', 'There is no execution.')),
    },
    workspace: noFiles,
    whileThere: (call, act) => act(call),
  };
  const options = { executionId: 'id', signal: stop.signal, ...(around && { around }) };
  const running = pass(there, request, options);
  running.catch(() => undefined);
  await nextTurn();
  const hear = (...events: RunEvent[]) => {
    for (const event of events) say(event);
  };
  const cancel = async () => {
    stop.abort(stops.cancelled());
    await nextTurn();
  };
  return { timers, answer, running, hear, cancel };
}

describe('a run that was passed on and is cancelled', () => {
  it('has its result where it has just ended', async (t) => {
    const { answer, running, hear, cancel } = await passedOn(t);
    hear(starting, ...numbered(started));
    await cancel();
    answer.resolve(result);
    assert.equal(await running, result);
  });

  it('has an end that is not known where none is told in time', async (t) => {
    const { timers, running, hear, cancel } = await passedOn(t);
    hear(starting, ...numbered(started));
    await cancel();
    timers.tick(30_000);
    await assert.rejects(running, {
      code: 'session_unreachable',
      message: /^The run was cancelled by its caller, and .* what had become of it: that is not known\.$/,
    });
  });

  it('did not run where it had not started', async (t) => {
    const { timers, running, hear, cancel } = await passedOn(t);
    hear(starting);
    await cancel();
    timers.tick(30_000);
    await assert.rejects(running, { code: 'cancelled', message: /before its code ran/ });
  });

  it('is left at once where the other server has nothing of it', async (t) => {
    const { running, cancel } = await passedOn(t);
    await cancel();
    await assert.rejects(running, { code: 'cancelled', message: /before its code ran/ });
  });

  it('has its result where it is cancelled amid what comes after it', async (t) => {
    const after = (_files: unknown, signal: AbortSignal) => aborted(signal);
    const { answer, running, hear, cancel } = await passedOn(t, { before: () => Promise.resolve(), after });
    hear(starting, ...numbered(started));
    answer.resolve(result);
    await nextTurn();
    await cancel();
    assert.equal(await running, result);
  });

  it('has failed as the other server says', async (t) => {
    const { answer, running, hear, cancel } = await passedOn(t);
    hear(starting, ...numbered(started));
    await cancel();
    answer.reject(new ServiceError('session_unreachable', 'It stopped answering.'));
    await assert.rejects(running, { code: 'session_unreachable' });
  });
});
