import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { mockTimers } from './mock-timers.ts';

export interface Clock {
  /** Lets time pass in small steps; what is due happens in between. */
  pass(seconds: number): Promise<void>;
}

const stepMs = 10;

/** Mocks timers and performance.now() together. */
export function mockClock(t: TestContext): Clock {
  const timers = mockTimers(t);
  let now = 1_000_000;
  t.mock.method(performance, 'now', () => now);
  return {
    async pass(seconds) {
      for (let left = seconds * 1000; left > 0; left -= stepMs) {
        const step = Math.min(left, stepMs);
        now += step;
        timers.tick(step);
        await nextTurn();
      }
      await nextTurn();
    },
  };
}
