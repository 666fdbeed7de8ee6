/** Statistics of the report. Pure: what is random comes from the generator that is passed. */

export interface Interval {
  median: number;
  /** Bounds that hold the median with 95 % confidence. */
  low: number;
  high: number;
}

/** The value below which this part of the values lies, between neighbours by distance. NaN where there is none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The median with its percentile bootstrap interval. */
export function bootstrapMedian(values: readonly number[], random: () => number, rounds = 2000): Interval {
  const medians = Array.from({ length: rounds }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? NaN)),
  );
  return { median: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** Ratios of what was measured in the same block; blocks that lack either are left out. */
export function pairedRatios(
  above: ReadonlyMap<number, number>,
  below: ReadonlyMap<number, number>,
): number[] {
  return [...above].flatMap(([block, value]) => {
    const other = below.get(block);
    return other === undefined ? [] : [value / other];
  });
}

/** The slope of the line of least squares, in units of y for one of x. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = sum(points.map(([x]) => x)) / points.length;
  const meanY = sum(points.map(([, y]) => y)) / points.length;
  const covariance = sum(points.map(([x, y]) => (x - meanX) * (y - meanY)));
  return covariance / sum(points.map(([x]) => (x - meanX) ** 2));
}

/** The same items in a random order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
