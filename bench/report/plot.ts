import type { Samples } from '../samples.ts';
import { median, sum } from '../stats.ts';
import { workloadNames } from '../workloads.ts';
import { milliseconds } from './format.ts';
import { answer, byBlock, isOurs, jobEnd, type Timing } from './timings.ts';

const rows: Timing[] = [
  answer.fork,
  answer.local,
  answer.exec,
  answer.warm,
  answer.rest,
  answer.cold,
  answer['client-node'],
  answer.kubectl,
  jobEnd,
];

const width = 860;
const left = 230;
const right = 90;
const rowHeight = 20;
const panelGap = 54;

const titles = {
  print: 'print',
  pandas: 'import pandas and a small frame',
  output: '1 MB of output',
  failing: 'a failing script',
};

/** Brings its own ground, so that it can be read on a light page and on a dark one. */
const style = `
  .ground { fill: #ffffff; } .text { fill: #1f2328; } .faint { fill: #59636e; } .grid { stroke: #d1d9e0; }
  .other { fill: #6e7781; } .ours { fill: #0969da; } .middle { stroke: #1f2328; }
  text { font: 12px system-ui, sans-serif; } .title { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } .text { fill: #f0f6fc; } .faint { fill: #9198a1; } .grid { stroke: #3d444d; }
    .other { fill: #9198a1; } .ours { fill: #58a6ff; } .middle { stroke: #f0f6fc; }
  }`;

/** Every sample of every arm as a dot over a logarithmic axis, its median as a line with its number. */
export function plot(samples: Samples): string {
  const panels = workloadNames.map((workload) => ({
    title: titles[workload],
    strips: rows
      .map((row) => ({ row, values: [...byBlock(samples, row, workload).values()] }))
      .filter(({ values }) => values.length > 0),
  }));
  const all = panels.flatMap(({ strips }) => strips.flatMap(({ values }) => values));
  const axis = logarithmic(Math.min(...all, 0.01), Math.max(...all, 1));
  const heights = panels.map(({ strips }) => strips.length * rowHeight + panelGap);
  const height = sum(heights) + 30;
  const drawn = panels.map(({ title, strips }, index) =>
    panel(title, strips, sum(heights.slice(0, index)) + panelGap, axis),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>${style}
</style>
<rect class="ground" width="${width}" height="${height}"/>
${drawn.join('\n')}
</svg>
`;
}

interface Axis {
  place(seconds: number): number;
  /** Powers of ten. */
  decades: number[];
}

function logarithmic(least: number, most: number): Axis {
  const low = Math.floor(Math.log10(least));
  const high = Math.ceil(Math.log10(most));
  return {
    place: (seconds) => left + ((Math.log10(seconds) - low) / (high - low)) * (width - left - right),
    decades: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

interface Strip {
  row: Timing;
  values: number[];
}

function panel(title: string, strips: Strip[], top: number, axis: Axis): string {
  const bottom = top + strips.length * rowHeight;
  return [
    text(left, top - 12, title, 'text title'),
    ...axis.decades.map((seconds) => {
      const x = axis.place(seconds);
      const line = `<line class="grid" x1="${x.toFixed(1)}" y1="${top}" x2="${x.toFixed(1)}" y2="${bottom}"/>`;
      return line + text(x, bottom + 15, axisLabel(seconds), 'faint', 'middle');
    }),
    ...strips.map((strip, number) => dots(strip, top + (number + 0.5) * rowHeight, axis)),
  ].join('\n');
}

function dots({ row, values }: Strip, y: number, { place }: Axis): string {
  const ours = isOurs(row.arm);
  const circles = values.map((value, index) => {
    // Spread over the row's height, so that equal values do not hide each other.
    const offset = (((index * 0.618) % 1) - 0.5) * rowHeight * 0.6;
    const centre = `cx="${place(value).toFixed(1)}" cy="${(y + offset).toFixed(1)}"`;
    return `<circle class="${ours ? 'ours' : 'other'}" ${centre} r="2.2" fill-opacity="0.55"/>`;
  });
  const middle = median(values);
  const x = place(middle).toFixed(1);
  return [
    text(left - 12, y + 4, row.title, ours ? 'text title' : 'text', 'end'),
    ...circles,
    `<line class="middle" stroke-width="2" x1="${x}" y1="${y - 8}" x2="${x}" y2="${y + 8}"/>`,
    text(place(Math.max(...values)) + 8, y + 4, `${milliseconds(middle)} ms`, 'faint'),
  ].join('');
}

function axisLabel(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds} s`;
}

function text(x: number, y: number, content: string, style: string, anchor = 'start'): string {
  return `<text class="${style}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${content}</text>`;
}
