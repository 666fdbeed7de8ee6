import type { ApiWrites } from '../samples.ts';
import { sum } from '../stats.ts';

/** What a run adds to each count: what was counted with runs less what was counted as long without. */
function perRun(
  runs: number,
  loaded: Record<string, number>,
  idle: Record<string, number>,
): [string, number][] {
  return Object.entries(loaded)
    .map(([key, count]): [string, number] => [key, (count - (idle[key] ?? 0)) / runs])
    .filter(([, count]) => Math.abs(count) >= 0.05)
    .sort(([, a], [, b]) => b - a);
}

/** Writes of the whole cluster for a run, by verb and resource. */
export const clusterWrites = ({ runs, loaded, idle }: ApiWrites) => perRun(runs, loaded, idle);

/** Writes of the server itself for a run, by verb. */
export const ownWrites = ({ runs, ownLoaded, ownIdle }: ApiWrites) => perRun(runs, ownLoaded, ownIdle);

/** Creations, changes and deletions of Jobs, whoever made them. */
export function jobWrites(writes: ApiWrites): number {
  return sum(
    clusterWrites(writes)
      .filter(([key]) => key.endsWith(' jobs'))
      .map(([, count]) => count),
  );
}
