import type { ArmName, Arm } from '../arms/arm.ts';
import type { Cluster } from '../bed/cluster.ts';
import { quiet } from '../bed/quiet.ts';
import type { Vivarium } from '../bed/servers.ts';
import type { Plan } from '../plan.ts';
import type { Samples } from '../samples.ts';

/** What every stage works with. */
export interface Bench {
  plan: Plan;
  cluster: Cluster;
  arms: Map<ArmName, Arm>;
  /** The server that loads go to. */
  warm: Vivarium;
  cold: Vivarium;
  image: string;
  random: () => number;
  samples: Samples;
  signal: AbortSignal;
}

/** Waits until nothing of what was measured before goes on. */
export function settle({ cluster, warm, cold, signal }: Bench): Promise<void> {
  return quiet(cluster, [warm, cold], signal);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
