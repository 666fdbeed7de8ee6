import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { clampLimits } from '../../../src/admission/policy.ts';
import type { PoolSettings } from '../../../src/schedule/kind.ts';
import { executionRequest, type ExecutionRequestInput } from '../../../src/request/execution.ts';
import { createSandboxes } from '../../../src/schedule/sandboxes.ts';
import { mockClock } from '../support/mock-clock.ts';
import { noEvents } from '../support/pool-events.ts';
import { config, poolSettings } from '../support/settings.ts';
import { stagedBackend } from '../support/staged-backend.ts';
import { never, prompt } from '../support/staged-pool.ts';

/** Sandboxes where those of pools are ready. */
async function made(t: TestContext, pools: PoolSettings[], changes: Parameters<typeof config>[0] = {}) {
  const clock = mockClock(t);
  const backend = stagedBackend(prompt);
  const settings = { ...config(changes), pools };
  const sandboxes = createSandboxes(backend, settings, noEvents);
  t.after(() => sandboxes.close());
  await clock.pass(0.02);
  const schema = executionRequest(settings);
  return {
    sandboxes,
    asked: backend.sandboxes,
    clock,
    /** As a run does it. The specification of the sandbox that it got. */
    take: async (input: ExecutionRequestInput) => {
      const request = schema.parse(input);
      const { limits } = clampLimits(request, sandboxes.policyFor(request, settings));
      const claim = { executionId: 'id', caller: '', requestKey: undefined, limits };
      const taken = await sandboxes.take(request, { limits, claim, bare: false }, never);
      return backend.sandboxes.find(({ gone }) => gone === taken.gone)?.spec;
    },
  };
}

const cold = (kind: object, limits: object) => ({
  kind: { image: 'vivarium-sandbox:0.1.0', runtimeClass: '', ...kind },
  pool: undefined,
  claim: { executionId: 'id', caller: '', requestKey: undefined, limits },
  lifeSeconds: 30,
  build: false,
});

describe('sandboxes', () => {
  it('are made for each run where there are no pools', async (t) => {
    const { take, asked, sandboxes } = await made(t, []);
    assert.deepEqual(asked, []);
    assert.deepEqual(
      await take({ code: '' }),
      cold({ cpu: 1, memory_mb: 512 }, { seconds: 30, cpu: 1, memory_mb: 512 }),
    );
    assert.deepEqual(sandboxes.states(), []);
  });

  it('come from the pool that fits, and are made for runs that no pool fits', async (t) => {
    const { take, asked } = await made(t, [poolSettings({ name: 'a' })]);
    assert.equal(asked.length, 1);
    const fitting = await take({ code: '', timeout_seconds: 5 });
    assert.deepEqual([fitting?.pool, fitting?.claim, fitting?.lifeSeconds], ['a', undefined, 3930]);
    assert.deepEqual(
      await take({ code: '', limits: { memory_mb: 300 } }),
      cold({ cpu: 1, memory_mb: 300 }, { seconds: 30, cpu: 1, memory_mb: 300 }),
    );
  });

  it('come from the pool that is named, and are as large as that says', async (t) => {
    const pools = [
      poolSettings({ name: 'a' }),
      poolSettings({ name: 'b', image: 'b:1', cpu: 2, memoryMb: 1024 }),
    ];
    const { take } = await made(t, pools);
    assert.equal((await take({ code: '', pool: 'b' }))?.pool, 'b');
    const own = await take({ code: '', pool: 'b', limits: { cpu: 1 } });
    assert.deepEqual(
      own,
      cold({ image: 'b:1', cpu: 1, memory_mb: 1024 }, { seconds: 30, cpu: 1, memory_mb: 1024 }),
    );
  });

  it('are refilled a few at a time, by all pools together', async (t) => {
    const pools = ['a', 'b'].map((name) => poolSettings({ name, min: 4 }));
    const clock = mockClock(t);
    const backend = stagedBackend();
    const sandboxes = createSandboxes(backend, { ...config({ refillConcurrency: 3 }), pools }, noEvents);
    t.after(() => sandboxes.close());
    await clock.pass(20);
    assert.equal(backend.sandboxes.length, 3);
  });

  it('of all pools are seen, drained and closed', async (t) => {
    const pools = [poolSettings({ name: 'a', min: 2 }), poolSettings({ name: 'b' })];
    const { sandboxes, asked, clock } = await made(t, pools);
    assert.deepEqual(
      sandboxes.states().map(({ pool, ready }) => [pool, ready]),
      [
        ['a', 2],
        ['b', 1],
      ],
    );
    sandboxes.drain();
    await clock.pass(60);
    await sandboxes.close();
    assert.deepEqual(
      asked.map(({ disposals }) => disposals),
      [1, 1, 1],
    );
    assert.ok(sandboxes.states().every(({ ready, starting }) => ready + starting === 0));
  });
});
