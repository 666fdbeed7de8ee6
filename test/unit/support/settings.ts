import { settings, type Config } from '../../../src/config.ts';

/** All defaults, and a replica name that does not depend on the machine. */
export function config(changes: Partial<Config> = {}): Config {
  return { ...settings.parse({ replicaName: 'replica-1' }), ...changes };
}
