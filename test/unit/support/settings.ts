import { complete, type Config } from '../../../src/config.ts';
import { settings } from '../../../src/settings.ts';
import type { PoolSettings } from '../../../src/schedule/kind.ts';

/** All defaults, and a replica name that does not depend on the machine. */
export function config(changes: Partial<Config> = {}): Config {
  return { ...complete(settings.parse({ replicaName: 'replica-1' })), ...changes };
}

/** A pool of what runs get that name nothing. */
export function poolSettings(changes: Partial<PoolSettings> = {}): PoolSettings {
  const { image, runtimeClass, defaultCpu: cpu, defaultMemoryMb: memoryMb } = config();
  return { name: 'default', image, runtimeClass, cpu, memoryMb, preload: [], min: 1, max: 10, ...changes };
}
