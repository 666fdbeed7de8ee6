import { armNames, type ArmName } from './arms/arm.ts';
import { workloadNames, type WorkloadName } from './workloads.ts';

/** Blocks in which each arm runs once, in an order of chance. */
export interface Round {
  name: string;
  workload: WorkloadName;
  arms: readonly ArmName[];
  blocks: number;
}

/** How much of everything is measured; seconds are those in which requests are sent. */
export interface Plan {
  rounds: Round[];
  /** How often the filling of a pool and the ceiling are measured beside each other, and a pool of how many. */
  refill: { repeats: number; size: number };
  closed: { sizes: number[]; seconds: number };
  open: { rates: number[]; seconds: number };
  bursts: { sizes: number[]; repeats: number };
  sustained: { clients: number; seconds: number };
  ceiling: { inFlight: number[]; seconds: number };
  outputs: { bytes: number; repeats: number };
  deliveries: number;
  apiWrites: { runs: number };
}

/** Arms that leave nothing to be cleared away, or little: more of their samples fit into a minute. */
const light: ArmName[] = ['warm', 'rest', 'exec', 'local', 'fork'];

const rounds = (blocks: number, lightBlocks: number): Round[] => [
  ...workloadNames.map((workload) => ({ name: 'all', workload, arms: armNames, blocks })),
  ...(['print', 'pandas'] as const).map((workload) => ({
    name: 'light',
    workload,
    arms: light,
    blocks: lightBlocks,
  })),
];

export const full: Plan = {
  rounds: rounds(8, 16),
  refill: { repeats: 3, size: 48 },
  closed: { sizes: [1, 2, 8, 32], seconds: 30 },
  open: { rates: [0.5, 0.8, 1.2], seconds: 60 },
  bursts: { sizes: [1, 2], repeats: 3 },
  sustained: { clients: 4, seconds: 300 },
  ceiling: { inFlight: [4, 8, 16], seconds: 12 },
  outputs: { bytes: 8_000_000, repeats: 5 },
  deliveries: 20,
  apiWrites: { runs: 20 },
};

/** Every stage once, for those who change the benchmark: its numbers mean little. */
export const quick: Plan = {
  rounds: rounds(1, 1),
  refill: { repeats: 1, size: 24 },
  closed: { sizes: [1, 32], seconds: 8 },
  open: { rates: [0.8], seconds: 6 },
  bursts: { sizes: [1], repeats: 1 },
  sustained: { clients: 2, seconds: 10 },
  ceiling: { inFlight: [8], seconds: 6 },
  outputs: { bytes: 8_000_000, repeats: 2 },
  deliveries: 2,
  apiWrites: { runs: 2 },
};
