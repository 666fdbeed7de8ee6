import type { LoadSample, Samples } from '../samples.ts';
import { workloadNames, type WorkloadName } from '../workloads.ts';
import { digits, interval, milliseconds, percent, table } from './format.ts';
import { phaseNames, phasesOf } from './limits.ts';
import { completedPerSecond, podsPerSecond } from './rates.ts';
import { answer, byBlock, ratio, summary, timings } from './timings.ts';
import { clusterWrites, ownWrites } from './writes.ts';
import type { Target } from './targets.ts';

export function targetTable(targets: Target[]): string {
  const verdict = (met: boolean | undefined) =>
    met === undefined ? 'not measured' : met ? 'met' : '**not met**';
  const missed = Map.groupBy(
    targets.filter(({ met }) => met === false),
    ({ limit }) => limit,
  );
  return [
    '| what | target | measured | |',
    '| --- | --- | --- | --- |',
    ...targets.map(
      ({ what, target, measured, met }) => `| ${what} | ${target} | ${measured} | ${verdict(met)} |`,
    ),
    ...[...missed].flatMap(([limit, { 0: first }]) =>
      limit === undefined || !first ? [] : [`\n**${first.what}**: ${limit}`],
    ),
  ].join('\n');
}

/** Every time of a workload, and its ratio to the warm pool's. */
export function armTable(samples: Samples, workload: WorkloadName, random: () => number): string {
  const rows = timings.flatMap((timing) => {
    const values = [...byBlock(samples, timing, workload).values()];
    const failed = samples.arms.filter(
      ({ arm, workload: of, fault }) => arm === timing.arm && of === workload && fault !== undefined,
    ).length;
    if (values.length + failed === 0) return [];
    const { count, p50, p95, p99 } = summary(values);
    const paired = timing === answer.warm ? undefined : ratio(samples, answer.warm, timing, workload, random);
    const cells = [p50, p95, p99].map(milliseconds);
    const texts = [timing.title, String(count), String(failed), ...cells, paired ? interval(paired) : '–'];
    return [{ p50, texts }];
  });
  const sorted = rows.toSorted((a, b) => a.p50 - b.p50).map(({ texts }) => texts);
  return table(['', 'runs', 'failed', 'p50 ms', 'p95 ms', 'p99 ms', 'warm / this'], sorted);
}

/** Where the time of Vivarium's own arms goes, by its own account. */
export function phaseTable(samples: Samples): string {
  const rows = (['warm', 'rest', 'cold'] as const).flatMap((arm) =>
    workloadNames.map((workload) => ({ arm, workload, phases: phasesOf(samples, arm, workload) })),
  );
  return table(
    ['median ms', ...phaseNames],
    rows.map(({ arm, workload, phases }) => [
      `${answer[arm].title}, ${workload}`,
      ...phaseNames.map((phase) => milliseconds(phases[phase])),
    ]),
  );
}

function titleOf({ name, size, repeat }: LoadSample): string {
  switch (name) {
    case 'closed':
      return `closed loop, ${size} clients${repeat > 0 ? ` (${repeat + 1})` : ''}`;
    case 'open':
      return `open loop, ${size} × refill rate`;
    case 'burst':
      return `burst of ${size} ${size === 1 ? 'pool' : 'pools'} (${repeat + 1})`;
    case 'sustained':
      return `sustained, ${size} clients`;
  }
}

export function loadTable({ loads }: Samples): string {
  const rows = loads.map((load) => {
    const { runs, faults, seconds, hits, misses, cpuSeconds, writes, memory, busy } = load;
    const { p50, p95, p99 } = summary(runs.map(([, took]) => took));
    return [
      titleOf(load),
      String(runs.length),
      String(faults.length),
      seconds > 0 ? digits(completedPerSecond(load)) : '–',
      ...[p50, p95, p99].map(milliseconds),
      `${hits} / ${misses}`,
      digits((cpuSeconds / runs.length) * 1000),
      digits(Math.max(...memory.map(([, bytes]) => bytes)) / 1e6),
      digits(writes / runs.length),
      percent(busy),
    ];
  });
  const head = ['', 'runs', 'failed', 'a second', 'p50 ms', 'p95 ms', 'p99 ms', 'hit / miss'];
  return table([...head, 'CPU-ms a run', 'RSS MB', 'writes a run', 'processors busy'], rows);
}

export function ceilingTable({ ceiling }: Samples): string {
  const rows = ceiling.map((sample) => [
    `${sample.inFlight} in flight, ${sample.imports ? '`import numpy, pandas`' : '`pass`'}${sample.repeat === undefined ? '' : ` (${sample.repeat + 1})`}`,
    String(sample.ended.length),
    String(sample.failed),
    digits(podsPerSecond(sample)),
    percent(sample.busy),
  ]);
  return table(['', 'pods', 'failed', 'a second', 'processors busy'], rows);
}

export function writesTable({ apiWrites }: Samples): string {
  const writes = apiWrites[0];
  if (!writes) return '–';
  const rows = [
    ...ownWrites(writes).map(([verb, count]) => [`the server: ${verb}`, digits(count)]),
    ...clusterWrites(writes).map(([key, count]) => [`all: ${key}`, digits(count)]),
  ];
  return table(['', 'a run'], rows);
}
