import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { createPoolMetrics } from '../../../src/observe/pool-metrics.ts';
import type { PoolState } from '../../../src/schedule/pool.ts';

const state = (changes: Partial<PoolState> = {}): PoolState => ({
  pool: 'a',
  ready: 0,
  starting: 0,
  claimed: 0,
  oldestSeconds: 0,
  ...changes,
});

function measured() {
  const register = new Registry();
  const metrics = createPoolMetrics(register);
  const lines = async () =>
    (await register.metrics()).split('\n').filter((line) => line.startsWith('vivarium_'));
  return { metrics, lines };
}

const has = (lines: string[], ...expected: string[]) => {
  for (const line of expected) assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`);
};

describe('the metrics of pools', () => {
  it('say nothing where there are no pools', async () => {
    const { metrics, lines } = measured();
    metrics.watchPools(() => []);
    assert.deepEqual(await lines(), []);
  });

  it('have a value for every pool before anything happens', async () => {
    const { metrics, lines } = measured();
    metrics.watchPools(() => [state(), state({ pool: 'b' })]);
    for (const pool of ['a', 'b']) {
      has(
        await lines(),
        `vivarium_pool_claims_total{pool="${pool}",outcome="hit"} 0`,
        `vivarium_pool_claims_total{pool="${pool}",outcome="miss"} 0`,
        `vivarium_pool_failures_total{pool="${pool}"} 0`,
        `vivarium_pool_sandboxes{pool="${pool}",state="ready"} 0`,
        `vivarium_pool_oldest_seconds{pool="${pool}"} 0`,
      );
    }
  });

  it('count what happens', async () => {
    const { metrics, lines } = measured();
    metrics.claimed('a', 'hit');
    metrics.claimed('a', 'hit');
    metrics.claimed('b', 'miss');
    metrics.refilled('a', 0.6);
    metrics.refillFailed('b');
    has(
      await lines(),
      'vivarium_pool_claims_total{pool="a",outcome="hit"} 2',
      'vivarium_pool_claims_total{pool="b",outcome="miss"} 1',
      'vivarium_pool_refill_seconds_bucket{le="0.5",pool="a"} 0',
      'vivarium_pool_refill_seconds_bucket{le="0.75",pool="a"} 1',
      'vivarium_pool_refill_seconds_sum{pool="a"} 0.6',
      'vivarium_pool_failures_total{pool="b"} 1',
    );
  });

  it('show the pools as they are when they are asked for', async () => {
    const { metrics, lines } = measured();
    let now = state({ ready: 3, starting: 2, claimed: 1, oldestSeconds: 12.5 });
    metrics.watchPools(() => [now]);
    has(
      await lines(),
      'vivarium_pool_sandboxes{pool="a",state="ready"} 3',
      'vivarium_pool_sandboxes{pool="a",state="starting"} 2',
      'vivarium_pool_sandboxes{pool="a",state="claimed"} 1',
      'vivarium_pool_oldest_seconds{pool="a"} 12.5',
    );
    now = state({ ready: 2 });
    has(
      await lines(),
      'vivarium_pool_sandboxes{pool="a",state="ready"} 2',
      'vivarium_pool_sandboxes{pool="a",state="claimed"} 0',
      'vivarium_pool_oldest_seconds{pool="a"} 0',
    );
  });
});
