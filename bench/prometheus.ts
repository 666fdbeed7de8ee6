/** Prometheus' text format, as far as this benchmark reads it. */

export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export function parseMetrics(text: string): Series[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels, value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, labels: parseLabels(labels ?? ''), value: Number(value) }];
  });
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** The sum of the series of a name whose labels fit. */
export function total(
  series: readonly Series[],
  name: string,
  fits: (labels: Record<string, string>) => boolean = () => true,
): number {
  return series
    .filter((each) => each.name === name && fits(each.labels))
    .reduce((sum, { value }) => sum + value, 0);
}

/** The metrics of a server. */
export async function scrape(probesUrl: string): Promise<Series[]> {
  const response = await fetch(`${probesUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  return parseMetrics(await response.text());
}
