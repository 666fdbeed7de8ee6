import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, it, type TestContext } from 'node:test';
import type { Observer, Sighting } from '../../../src/sandbox/observer.ts';
import { phaseOf, type Phase } from '../../../src/sandbox/phase.ts';
import { waitForStart } from '../../../src/sandbox/start.ts';
import { mockTimers } from '../support/mock-timers.ts';
import { pod, withContainer } from '../support/pods.ts';
import { config } from '../support/settings.ts';

/** Waits for a sandbox of which the test tells what is seen. */
function starting(t: TestContext, signal = new AbortController().signal) {
  const timers = mockTimers(t);
  let tell: ((sighting: Sighting) => void) | undefined;
  const observer: Observer = {
    when: (_job, decide, whenSignal) =>
      new Promise((resolve, reject) => {
        whenSignal.addEventListener('abort', () => {
          reject(whenSignal.reason as Error);
        });
        tell = (sighting) => {
          try {
            const answer = decide(sighting);
            if (answer !== undefined) resolve(answer);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
      }),
    expect: () => undefined,
    stale: () => undefined,
    close: () => Promise.resolve(),
  };
  const start = waitForStart(observer, config({ unschedulableSeconds: 5 }), 'run-a', signal);
  let isOver = false;
  start.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  return {
    timers,
    start,
    isOver: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return isOver;
    },
    see: (seen: V1Pod | Phase) => {
      tell?.('state' in seen ? { pod: undefined, phase: seen } : { pod: seen, phase: phaseOf(seen) });
    },
  };
}

const unfit = (message: string) =>
  pod(
    {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    },
    {},
  );
const tooLarge = unfit('0/1 nodes are available: 1 Insufficient memory.');
const full = unfit(
  '0/1 nodes are available: 1 Insufficient cpu. No preemption victims found for incoming pod.',
);
const placed = pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] });
const running = withContainer('Running', { running: {} });

describe('waitForStart', () => {
  it('gives the path of the pod once its container runs', async (t) => {
    const { start, see } = starting(t);
    see({ state: 'pending' });
    see(placed);
    see(running);
    const { podPath, placedAt } = await start;
    assert.equal(podPath, '/api/v1/namespaces/vivarium-sandboxes/pods/run-a-b');
    assert.ok(placedAt <= performance.now());
  });

  it('fails at once where it will never start', async (t) => {
    const { start, see } = starting(t);
    see({ state: 'failed', code: 'image_pull_failed', message: 'No image.' });
    await assert.rejects(start, { name: 'ServiceError', code: 'image_pull_failed', message: 'No image.' });
  });

  it('fails where it ended instead', async (t) => {
    const { start, see } = starting(t);
    see({ state: 'ended', cause: 'cancelled', message: 'Deleted.' });
    await assert.rejects(start, { name: 'SandboxLost', cause: 'cancelled', message: 'Deleted.' });
  });

  it('gives a new node some time where none fits', async (t) => {
    const { start, see, timers, isOver } = starting(t);
    see(tooLarge);
    timers.tick(4999);
    assert.equal(await isOver(), false);
    timers.tick(1);
    await assert.rejects(start, {
      code: 'unschedulable',
      message: 'No node takes the sandbox: 0/1 nodes are available: 1 Insufficient memory.',
    });
  });

  it('waits on where a node came in that time, however long its image takes', async (t) => {
    const { start, see, timers, isOver } = starting(t);
    see(tooLarge);
    timers.tick(4000);
    see(placed);
    timers.tick(20_000);
    assert.equal(await isOver(), false);
    see(running);
    assert.ok((await start).podPath);
  });

  it('waits for room in a full cluster', async (t) => {
    const { start, see, timers, isOver } = starting(t);
    see(tooLarge);
    see(full);
    timers.tick(20_000);
    assert.equal(await isOver(), false);
    see(running);
    assert.ok((await start).podPath);
  });

  it('says that there was no room when its time is over', async (t) => {
    const stop = new AbortController();
    const { start, see } = starting(t, stop.signal);
    see(full);
    stop.abort(new Error('too late'));
    await assert.rejects(start, { code: 'unschedulable' });
  });

  it('throws the reason of its signal', async (t) => {
    const stop = new AbortController();
    const { start, see } = starting(t, stop.signal);
    see(placed);
    stop.abort(new Error('too late'));
    await assert.rejects(start, /too late/);
  });
});
