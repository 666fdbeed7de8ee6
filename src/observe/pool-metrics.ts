import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { PoolState } from '../schedule/pool.ts';

const refillBuckets = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60];

/** Metrics by pool: the label's values are the configured names. */
export function createPoolMetrics(register: Registry) {
  const registers = [register];
  const claims = new Counter({
    name: 'vivarium_pool_claims_total',
    help: 'Requests for a sandbox of a pool: a hit found one ready, a miss had to wait.',
    labelNames: ['pool', 'outcome'] as const,
    registers,
  });
  const refills = new Histogram({
    name: 'vivarium_pool_refill_seconds',
    help: 'From the creation of a sandbox of a pool to its being ready.',
    labelNames: ['pool'] as const,
    buckets: refillBuckets,
    registers,
  });
  const failures = new Counter({
    name: 'vivarium_pool_failures_total',
    help: 'Sandboxes of a pool that did not become ready, or ended before they had a run.',
    labelNames: ['pool'] as const,
    registers,
  });

  return {
    claimed(pool: string, outcome: 'hit' | 'miss'): void {
      claims.inc({ pool, outcome });
    },
    refilled(pool: string, seconds: number): void {
      refills.observe({ pool }, seconds);
    },
    refillFailed(pool: string): void {
      failures.inc({ pool });
    },
    /** Shows the pools as `read` finds them at each scrape. */
    watchPools(read: () => PoolState[]): void {
      for (const { pool } of read()) {
        claims.inc({ pool, outcome: 'hit' }, 0);
        claims.inc({ pool, outcome: 'miss' }, 0);
        failures.inc({ pool }, 0);
      }
      new Gauge({
        name: 'vivarium_pool_sandboxes',
        help: 'Sandboxes of a pool, by state: ready, starting, claimed.',
        labelNames: ['pool', 'state'] as const,
        registers,
        collect() {
          for (const { pool, ready, starting, claimed } of read()) {
            this.set({ pool, state: 'ready' }, ready);
            this.set({ pool, state: 'starting' }, starting);
            this.set({ pool, state: 'claimed' }, claimed);
          }
        },
      });
      new Gauge({
        name: 'vivarium_pool_oldest_seconds',
        help: 'How long the oldest ready sandbox of a pool has waited.',
        labelNames: ['pool'] as const,
        registers,
        collect() {
          for (const { pool, oldestSeconds } of read()) this.set({ pool }, oldestSeconds);
        },
      });
    },
  };
}
