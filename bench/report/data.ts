import type { Setting } from '../samples.ts';
import { bootstrapMedian, median } from '../stats.ts';
import { digits, interval, milliseconds, table } from './format.ts';

interface Run {
  seconds: number;
  /** What the import took by the program's own clock. */
  imported: number;
}

/** What was measured; times in seconds. */
export interface DataSamples {
  setting: Pick<Setting, 'date' | 'commit' | 'machine'>;
  builds: { requirement: string; seconds: number }[];
  /** One run of each kind, in a random order. */
  rounds: Record<'plain' | (typeof kinds)[number][0], Run>[];
  /** A large file out: its bytes, its way without the program's own time, and how much the server grew. */
  outputs: { bytes: number; seconds: number; grown: number }[];
  inputs: { bytes: number; seconds: number }[];
}

/** What an environment may cost a run beside the import itself. */
const targetSeconds = 0.02;

const kinds = [
  ['value', 'the value of its last expression'],
  ['file', 'a file of 8 kB in'],
  ['artifact', 'a file of 3 kB out'],
  ['packages', 'an environment that it does not use'],
  ['environment', 'an environment, less the import itself'],
  ['session', 'a session, whose interpreter stays'],
  ['fresh', 'a session, and an interpreter of its own there'],
] as const;

export function renderData(samples: DataSamples, random: () => number): string {
  const { setting, rounds } = samples;
  const plain = median(rounds.map((round) => round.plain.seconds));
  const rows = kinds.map(([kind, what]) => {
    const more = rounds.map((round) => round[kind].seconds - round[kind].imported - round.plain.seconds);
    return { kind, what, more: bootstrapMedian(more, random) };
  });
  const environment = rows.find(({ kind }) => kind === 'environment')?.more.median ?? NaN;
  const imported = median(rounds.map((round) => round.environment.imported));
  const rate = (all: { bytes: number; seconds: number }[]) =>
    median(all.map(({ bytes, seconds }) => bytes / 1e6 / seconds));
  return `# What files, artifacts, environments and sessions cost

Written by \`node bench/data.ts\` from [data.json](data.json): ${setting.date}, commit ${setting.commit}, ${setting.machine.processors} processors
(${setting.machine.processor}) shared by client, server and cluster. Runs come over MCP, into a pool of three sandboxes that have imported
numpy and pandas; those in a session go to its own sandbox, which has imported nothing. ${rounds.length} rounds of one run of each kind in a random order. In brackets: 95 % of a bootstrap.

A run without any of it: ${milliseconds(plain)} ms. More than that, with

${table(
  ['', 'ms'],
  rows.map(({ what, more }) => [what, interval(more, milliseconds)]),
)}

The import in the environment (polars) took ${milliseconds(imported)} ms by its own clock. Target: an environment that is there costs at most
${milliseconds(targetSeconds)} ms beside it: ${environment <= targetSeconds ? 'met' : 'not met'}.

${table(
  ['environments, made', 's'],
  samples.builds.map(({ requirement, seconds }) => [`\`${requirement}\``, digits(seconds)]),
)}

${table(
  ['large files', 'MB/s', 'most that the server grew (MB)'],
  [
    [
      `${digits((samples.outputs[0]?.bytes ?? 0) / 1e6)} MB out, into a folder`,
      digits(rate(samples.outputs)),
      digits(Math.max(...samples.outputs.map(({ grown }) => grown)) / 1e6),
    ],
    [`${digits((samples.inputs[0]?.bytes ?? 0) / 1e6)} MB in, inline`, digits(rate(samples.inputs)), '–'],
  ],
)}
`;
}
