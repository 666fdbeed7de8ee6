import type { PoolEvents } from '../../../src/schedule/pool.ts';

export const noEvents: PoolEvents = {
  claimed: () => undefined,
  refilled: () => undefined,
  failed: () => undefined,
  notPreloaded: () => undefined,
};

/** Keeps what it is told, each as a name and what it was told. */
export function keptEvents(): PoolEvents & { told: unknown[][] } {
  const told: unknown[][] = [];
  return {
    told,
    claimed: (...what) => told.push(['claimed', ...what]),
    refilled: (...what) => told.push(['refilled', ...what]),
    failed: (...what) => told.push(['failed', ...what]),
    notPreloaded: (...what) => told.push(['notPreloaded', ...what]),
  };
}
