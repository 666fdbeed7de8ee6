import type { Interval } from '../stats.ts';

/** Three digits, without an exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const decimals = size >= 100 || size === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(decimals, 5));
}

export const milliseconds = (seconds: number) => digits(seconds * 1000);

export const percent = (part: number) => `${Math.round(part * 100)} %`;

export const interval = ({ median, low, high }: Interval, show = digits) =>
  `${show(median)} (${show(low)}–${show(high)})`;

/** A Markdown table; the first column is text, the others are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
