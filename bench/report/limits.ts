import type { ArmName } from '../arms/arm.ts';
import type { Samples } from '../samples.ts';
import { median } from '../stats.ts';
import type { WorkloadName } from '../workloads.ts';
import { digits, milliseconds, percent } from './format.ts';
import type { Refill } from './rates.ts';
import { answer, byBlock } from './timings.ts';

export const phaseNames = ['queued', 'scheduled', 'started', 'ran', 'total', 'way'] as const;
export type Phases = Record<(typeof phaseNames)[number], number>;

/** Medians of what an arm of Vivarium spends its time on; `way` is what the client waits beyond the server's total. */
export function phasesOf({ arms }: Samples, arm: ArmName, workload: WorkloadName): Phases {
  const taken = arms.filter((each) => each.arm === arm && each.workload === workload && !each.fault);
  const of = (phase: string) => median(taken.flatMap(({ marks }) => marks[phase] ?? []));
  return {
    queued: of('queued'),
    scheduled: of('scheduled'),
    started: of('started'),
    ran: of('ran'),
    total: of('total'),
    way: median(taken.map(({ seconds, marks }) => seconds - (marks.total ?? NaN))),
  };
}

export function warmLimit(samples: Samples, workload: WorkloadName): string {
  const { started, ran, total, way } = phasesOf(samples, 'warm', workload);
  const p50 = (arm: ArmName) => milliseconds(median([...byBlock(samples, answer[arm], workload).values()]));
  const parts = [
    `${milliseconds(started)} ms until the code runs`,
    `${milliseconds(ran)} ms the program itself`,
    `${milliseconds(total - started - ran)} ms until the server has its end`,
    `${milliseconds(way)} ms MCP and HTTP on both sides`,
  ];
  return `of ${p50('warm')} ms, ${parts.join(', ')}. Over REST it is ${p50('rest')} ms in all; the same program in a local fork, ${p50('fork')} ms.`;
}

export function coldLimit(samples: Samples): string {
  const { scheduled, started, ran, way } = phasesOf(samples, 'cold', 'print');
  const [placed, start, run, rest] = [scheduled, started, ran, way].map(milliseconds);
  return `${placed} ms until the pod has a node, ${start} ms from there until the code runs, ${run} ms the program, ${rest} ms MCP and HTTP.`;
}

export function refillLimit(samples: Samples, { busy, rate, cpuSeconds }: Refill): string {
  const share = (cpuSeconds * rate) / samples.setting.machine.processors;
  return `the processors were ${percent(busy.refill)} busy, and ${percent(busy.ceiling)} at the ceiling; the server took ${digits(cpuSeconds * 1000)} CPU-ms a sandbox, its own start included, ${percent(share)} of them.`;
}
