import { armNames, type ArmName } from '../arms/arm.ts';
import type { ArmSample, Samples } from '../samples.ts';
import { bootstrapMedian, pairedRatios, quantile, type Interval } from '../stats.ts';
import type { WorkloadName } from '../workloads.ts';

/** A time of an arm: to the answer, or to a mark on the way. */
export interface Timing {
  arm: ArmName;
  mark?: string;
  title: string;
}

export const answer: Record<ArmName, Timing> = {
  warm: { arm: 'warm', title: 'Vivarium, warm' },
  rest: { arm: 'rest', title: 'Vivarium, warm, over REST' },
  cold: { arm: 'cold', title: 'Vivarium, pool off' },
  kubectl: { arm: 'kubectl', title: 'kubectl Job, to its exit code' },
  'client-node': { arm: 'client-node', title: 'client-node Job, to its exit code' },
  exec: { arm: 'exec', title: 'exec into a warm pod' },
  local: { arm: 'local', title: 'local python3 -c' },
  fork: { arm: 'fork', title: 'local warm fork' },
};

export const jobEnd: Timing = { arm: 'kubectl', mark: 'jobEnded', title: 'kubectl Job, to its completion' };

export const firstLine = (arm: 'kubectl' | 'client-node'): Timing => ({
  arm,
  mark: 'firstLine',
  title: `${arm} Job, to its first line`,
});

export const stampedLine = (arm: 'kubectl' | 'client-node'): Timing => ({
  arm,
  mark: 'stampedLine',
  title: `${arm} Job, to its first line as the node stamped it`,
});

const ours: readonly ArmName[] = ['warm', 'rest', 'cold'];

export const isOurs = (arm: ArmName) => ours.includes(arm);

/** Every time that the report shows. */
export const timings: Timing[] = [
  ...armNames.map((arm) => answer[arm]),
  jobEnd,
  ...(['client-node', 'kubectl'] as const).flatMap((arm) => [stampedLine(arm), firstLine(arm)]),
];

function valueOf({ seconds, marks }: ArmSample, { mark }: Timing): number | undefined {
  return mark === undefined ? seconds : marks[mark];
}

/** The times of one workload by block. Failed samples have none; they are counted elsewhere. */
export function byBlock({ arms }: Samples, timing: Timing, workload: WorkloadName): Map<number, number> {
  return new Map(
    arms
      .filter((sample) => sample.arm === timing.arm && sample.workload === workload && !sample.fault)
      .flatMap((sample) => {
        const value = valueOf(sample, timing);
        return typeof value === 'number' ? [[sample.block, value] as const] : [];
      }),
  );
}

export interface Summary {
  count: number;
  p50: number;
  p95: number;
  p99: number;
}

export function summary(values: readonly number[]): Summary {
  return {
    count: values.length,
    p50: quantile(values, 0.5),
    p95: quantile(values, 0.95),
    p99: quantile(values, 0.99),
  };
}

/** The median of the paired ratios of two times, with its interval; undefined where they share no block. */
export function ratio(
  samples: Samples,
  above: Timing,
  below: Timing,
  workload: WorkloadName,
  random: () => number,
): Interval | undefined {
  const ratios = pairedRatios(byBlock(samples, above, workload), byBlock(samples, below, workload));
  return ratios.length === 0 ? undefined : bootstrapMedian(ratios, random);
}
