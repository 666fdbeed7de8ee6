import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ApiError, UnreachableError, withRetry } from '../../../src/sandbox/client.ts';
import { mockTimers } from '../support/mock-timers.ts';

const away = new UnreachableError('away');

/** Calls with retries, in a time that passes as fast as it can. */
function retrying(
  t: TestContext,
  outcomes: (Error | string)[],
  seconds: number,
  signal = new AbortController().signal,
) {
  const timers = mockTimers(t);
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  t.mock.method(Math, 'random', () => 0.5);
  const at: number[] = [];
  const result = withRetry(
    () => {
      at.push(now);
      const outcome = outcomes[Math.min(at.length, outcomes.length) - 1];
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
    seconds,
    signal,
  );
  const passing = setInterval(() => {
    now += 100;
    timers.tick(100);
  }, 0);
  t.after(() => {
    clearInterval(passing);
  });
  return { at, result };
}

describe('withRetry', () => {
  it('repeats what was not answered, and what the API server says to repeat', async (t) => {
    const again = [429, 500, 502, 503, 504].map((status) => new ApiError(status, '', ''));
    const { at, result } = retrying(t, [away, ...again, new ApiError(409, 'Conflict', ''), 'done'], 60);
    assert.equal(await result, 'done');
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 2000, 2000]);
  });

  it('does not repeat what is refused', async (t) => {
    for (const status of [400, 401, 403, 404, 409, 422]) {
      const refusal = new ApiError(status, '', '');
      const { at, result } = retrying(t, [refusal], 60);
      await assert.rejects(result, refusal);
      assert.equal(at.length, 1);
      t.mock.reset();
    }
  });

  it('gives up in its time, with the last answer', async (t) => {
    const { at, result } = retrying(t, [away], 10);
    await assert.rejects(result, away);
    assert.ok((at.at(-1) ?? 0) <= 10_000 && at.length > 5);
  });

  it('stops when it is aborted, and says what stood in its way', async (t) => {
    const stop = new AbortController();
    const { at, result } = retrying(t, [away], 1000, stop.signal);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('enough'));
    await assert.rejects(result);
    assert.ok(at.length <= 3);
  });
});
