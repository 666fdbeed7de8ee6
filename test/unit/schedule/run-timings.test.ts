import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createQueue } from '../../../src/admission/queue.ts';
import { executionRequest } from '../../../src/request/execution.ts';
import { run } from '../../../src/schedule/run.ts';
import { createSandboxes } from '../../../src/schedule/sandboxes.ts';
import { fakeBackend } from '../support/fake-backend.ts';
import { exit, numbered, started } from '../support/frames.ts';
import { mockClock } from '../support/mock-clock.ts';
import { noEvents } from '../support/pool-events.ts';
import { config } from '../support/settings.ts';
import { passedBy } from '../support/stages.ts';

const { signal } = new AbortController();

/** The timings of a run, of which each part takes some seconds. */
async function timed(
  t: TestContext,
  parts: { queued?: number; placedAt?: (began: number) => number; opens?: number; starts?: number },
) {
  const { queued = 0, placedAt, opens = 0, starts = 0 } = parts;
  const clock = mockClock(t);
  const began = performance.now();
  const backend = fakeBackend({
    open: () => clock.pass(opens),
    placedAt: () => placedAt?.(began) ?? performance.now(),
    frames: async function* () {
      await clock.pass(starts);
      const [first, last] = numbered(started, exit());
      if (first) yield first;
      await clock.pass(2);
      if (last) yield last;
    },
  });
  const policy = config({ concurrency: 1 });
  const queue = createQueue(policy);
  const leave = await queue.enter(signal);
  const sandboxes = createSandboxes(backend, policy, noEvents);
  const result = run(
    { policy, queueFor: () => queue, sandboxes, ...passedBy },
    executionRequest(policy).parse({ code: '' }),
    {
      executionId: 'id',
      signal,
    },
  );
  await clock.pass(queued);
  leave();
  const { timings } = await result;
  return Object.fromEntries(
    Object.entries(timings).map(([phase, seconds]) => [phase, seconds && Math.round(seconds * 100) / 100]),
  );
}

describe('timings', () => {
  it('tell a cold run’s phases apart', async (t) => {
    const got = await timed(t, { queued: 1, placedAt: (began) => began + 1250, opens: 0.75, starts: 0.5 });
    assert.deepEqual(got, {
      environment: null,
      queued: 1,
      scheduled: 0.25,
      started: 1,
      ran: 0.5,
      total: 4.25,
    });
  });

  it('take no time for the place of a sandbox that was there before the request', async (t) => {
    const got = await timed(t, { placedAt: (began) => began - 60_000, starts: 0.01 });
    assert.deepEqual(got, {
      environment: null,
      queued: 0,
      scheduled: 0,
      started: 0.01,
      ran: 0.5,
      total: 2.01,
    });
  });

  it('take no time for a place that was found while the request still waited', async (t) => {
    const got = await timed(t, { queued: 1, placedAt: (began) => began + 500, opens: 0.2, starts: 0.1 });
    assert.deepEqual(got, { environment: null, queued: 1, scheduled: 0, started: 0.3, ran: 0.5, total: 3.3 });
  });
});
