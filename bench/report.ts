/** Writes the report of a folder's samples again: `node bench/report.ts [FOLDER]`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../test/unit/support/random.ts';
import { digits } from './report/format.ts';
import { plot } from './report/plot.ts';
import { armTable, ceilingTable, loadTable, phaseTable, targetTable, writesTable } from './report/tables.ts';
import { completedPerSecond, highestCeiling, readyPerSecond } from './report/rates.ts';
import { targets } from './report/targets.ts';
import { readSamples, type Samples } from './samples.ts';
import { workloadNames } from './workloads.ts';

export function writeReport(folder: string): string {
  const samples = readSamples(join(folder, 'samples.json'));
  const path = join(folder, 'REPORT.md');
  writeFileSync(join(folder, 'arms.svg'), plot(samples));
  writeFileSync(path, report(samples));
  return path;
}

function report(samples: Samples): string {
  const { setting, faults } = samples;
  const random = seededRandom(setting.seed);
  const { processor, processors, memoryGB, kernel, load } = setting.machine;
  const { kubernetes, node, python } = setting.versions;
  return `# Benchmark

Made by \`make bench\` on ${setting.date} UTC in ${digits(setting.seconds / 60)} minutes, at commit ${setting.commit}; \`node bench/report.ts\`
makes it again from [samples.json](samples.json).${setting.quick ? ' **A quick run: its numbers mean little.**' : ''}

- Machine: ${processor}, ${processors} processors, ${memoryGB} GB, Linux ${kernel}; load ${digits(load)} at the begin. The client, the server,
  the cluster and the sandboxes share it.
- Kubernetes ${kubernetes}, Node.js ${node}; Python of the local arms: ${python}.
- Pools: ${setting.pools.map(({ min, preload }) => `${min} sandboxes with ${preload.join(' and ')} imported`).join('; ')}. Servers: ${JSON.stringify(setting.server).replaceAll(/["{}]/g, '').replaceAll(',', ', ')}.
${faults.map(({ stage, message }) => `\n**Stage ${stage} could not be carried out: ${message}**\n`).join('')}
## Targets

Ratios are medians of ratios within a block, with their 95 % bootstrap interval.

${targetTable(targets(samples, random))}

## Arms

![Every sample by arm](arms.svg)

From the request being sent to all output and the exit code being there. In each block every arm runs once, in an order of
chance (seed ${setting.seed}), after the pool is full again and nothing of the one before is left. An answer that is not exactly right has
failed.

${workloadNames.map((workload) => `### ${workload}\n\n${armTable(samples, workload, random)}`).join('\n\n')}

## Phases

By the results’ own \`timings\`; \`way\` is what the client waited beyond their total.

${phaseTable(samples)}

## Loads

The program prints one line. A second: answers, without the first quarter of the time.

${loadTable(samples)}

## Pod starts

Jobs like those of the sandboxes, straight through the API, whose container ends at once.

${ceilingTable(samples)}

${fillText(samples)}

${sustainedText(samples)}

## API writes

${writesTable(samples)}
`;
}

function fillText({ fills }: Samples): string {
  const all = fills.map((fill) => {
    const [seconds, ready] = fill.ready.at(-1) ?? [NaN, 0];
    return `${ready} after ${digits(seconds)} s, ${digits(readyPerSecond(fill))} a second between a quarter and three quarters`;
  });
  return `A pool that fills from nothing, each with its imports done, in turns with the numbered lines above: ${all.join('; ')}.`;
}

function sustainedText(samples: Samples): string {
  const load = samples.loads.find(({ name }) => name === 'sustained');
  if (!load) return '';
  const rate = completedPerSecond(load);
  const [importing, plain] = [true, false].map((imports) => highestCeiling(samples, imports));
  return `The sustained loop had ${digits(rate)} runs a second: ${digits(rate / (importing ?? NaN))} of the highest rate above with imports, ${digits(rate / (plain ?? NaN))} of that without. A run that finds no sandbox ready gets one before its imports.`;
}

if (import.meta.main) console.log(writeReport(process.argv[2] ?? import.meta.dirname));
