import { metric } from './metrics.ts';
import type { Server, Settings } from './server.ts';
import { until } from './until.ts';

interface PoolOptions {
  min: number;
  max: number;
  preload?: string[];
  image?: string;
}

/** Settings of a server with one pool, called e2e, on a node that others use too. */
export function pooled(pool: PoolOptions, settings: Settings = {}): Settings {
  return {
    VIVARIUM_POOLS: JSON.stringify([{ name: 'e2e', ...pool }]),
    VIVARIUM_DEFAULT_CPU: '0.5',
    VIVARIUM_CPU_RESERVED: '0.1',
    VIVARIUM_DEFAULT_MEMORY_MB: '256',
    ...settings,
  };
}

/** Waits until so many sandboxes of its pool are ready. */
export async function poolReady({ probesUrl }: Server, count: number): Promise<void> {
  await until(
    `${count} sandboxes are ready`,
    async () => (await metric(probesUrl, 'vivarium_pool_sandboxes{pool="e2e",state="ready"}')) === count,
    90,
  );
}
