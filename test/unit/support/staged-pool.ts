import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Sandbox } from '../../../src/schedule/backend.ts';
import type { PoolSettings } from '../../../src/schedule/kind.ts';
import { createPool, type PoolLimits, type Refills } from '../../../src/schedule/pool.ts';
import { mockClock } from './mock-clock.ts';
import { keptEvents } from './pool-events.ts';
import { poolSettings } from './settings.ts';
import { stagedBackend, type StagedSandbox } from './staged-backend.ts';

export const never = new AbortController().signal;

export interface Stage {
  settings?: Partial<PoolSettings>;
  limits?: Partial<PoolLimits>;
  refills?: Refills;
  opening?: (sandbox: StagedSandbox) => void;
}

/** A pool whose time and sandboxes a test moves. */
export function stagedPool(t: TestContext, { settings, limits, refills, opening }: Stage = {}) {
  const clock = mockClock(t);
  return { clock, ...poolOn(t, { settings, limits, refills, opening }) };
}

/** The same, in the time of another. */
export function poolOn(
  t: TestContext,
  { settings, limits, refills, opening }: { [Key in keyof Stage]: Stage[Key] | undefined },
) {
  const backend = stagedBackend(opening);
  const events = keptEvents();
  const pool = createPool(
    backend,
    poolSettings(settings),
    { poolMaxAgeSeconds: 1000, maxTimeoutSeconds: 300, fetchSeconds: 30, startTimeoutSeconds: 60, ...limits },
    refills ?? { max: 8, now: 0 },
    events,
  );
  t.after(() => pool.close());
  return {
    pool,
    events: events.told,
    sandboxes: backend.sandboxes,
    /** Number of the sandbox that was given, in the order of their starts. */
    numberOf: (taken: Sandbox) => backend.sandboxes.findIndex(({ gone }) => gone === taken.gone),
    /** Ready, starting, claimed. */
    counts: () => {
      const { ready, starting, claimed } = pool.state();
      return [ready, starting, claimed];
    },
    at: (index: number): StagedSandbox => {
      const sandbox = backend.sandboxes[index];
      assert.ok(sandbox, `there are ${backend.sandboxes.length} sandboxes`);
      return sandbox;
    },
  };
}

/** Becomes ready as soon as it is asked for. */
export const prompt = (sandbox: StagedSandbox): void => {
  sandbox.getReady();
};
