import type { CeilingSample, FillSample, LoadSample, Samples } from '../samples.ts';
import { median, slope } from '../stats.ts';

/** What a full pool gives at the begin is not yet what the machine can give. */
const warmUpPart = 1 / 4;

/** Answers a second while a load went on, after its begin. */
export function completedPerSecond({ runs, seconds }: Pick<LoadSample, 'runs' | 'seconds'>): number {
  return perSecond(
    runs.map(([at, took]) => at + took),
    seconds,
  );
}

/** Pods that came to their end in a second. */
export function podsPerSecond({ ended, seconds }: Pick<CeilingSample, 'ended' | 'seconds'>): number {
  return perSecond(ended, seconds);
}

function perSecond(times: readonly number[], seconds: number): number {
  const from = seconds * warmUpPart;
  return times.filter((time) => time >= from && time <= seconds).length / (seconds - from);
}

/** The number of pods in flight at which most were started. */
export function bestInFlight({ ceiling }: Samples, imports: boolean): number {
  const sought = ceiling.filter((sample) => sample.imports === imports && sample.repeat === undefined);
  const best = sought.toSorted((a, b) => podsPerSecond(b) - podsPerSecond(a))[0];
  if (!best) throw new Error('No ceiling was looked for.');
  return best.inFlight;
}

/** The most pods that came to their end in a second. */
export function highestCeiling({ ceiling }: Samples, imports: boolean): number {
  return Math.max(...ceiling.filter((sample) => sample.imports === imports).map(podsPerSecond));
}

/** Sandboxes that became ready in a second, without the first and the last, which come while the pace rises and falls. */
export function readyPerSecond({ ready }: Pick<FillSample, 'ready'>): number {
  const size = ready.at(-1)?.[1] ?? 0;
  const [from, to] = [1 / 4, 3 / 4].map((part) => ready.find(([, count]) => count >= size * part));
  return from && to ? (to[1] - from[1]) / (to[0] - from[0]) : NaN;
}

export interface Refill {
  /** Sandboxes a second that become ready in a pool. */
  rate: number;
  /** Pods a second that the machine starts. */
  ceiling: number;
  /** Refill by ceiling, of those that were measured one after the other. */
  parts: number[];
  /** Part of the processors that was busy, at either. */
  busy: { refill: number; ceiling: number };
  /** What the server takes of the processors for a sandbox, in seconds. */
  cpuSeconds: number;
}

export function refill(samples: Samples): Refill | undefined {
  const pairs = samples.fills.flatMap((fill) => {
    const pods = samples.ceiling.find(({ repeat }) => repeat === fill.repeat);
    return pods ? [{ fill, pods, rate: readyPerSecond(fill), ceiling: podsPerSecond(pods) }] : [];
  });
  if (pairs.length === 0) return undefined;
  return {
    rate: median(pairs.map(({ rate }) => rate)),
    ceiling: median(pairs.map(({ ceiling }) => ceiling)),
    parts: pairs.map(({ rate, ceiling }) => rate / ceiling),
    busy: {
      refill: median(pairs.map(({ fill }) => fill.busy)),
      ceiling: median(pairs.map(({ pods }) => pods.busy)),
    },
    cpuSeconds: median(pairs.map(({ fill }) => fill.cpuSeconds / (fill.ready.at(-1)?.[1] ?? NaN))),
  };
}

export interface Memory {
  mean: number;
  /** Bytes that the fitted line rises over the time it is fitted to. */
  growth: number;
  minutes: number;
}

/** The line through the server's memory, without the first fifth of the time. */
export function memoryOf({ memory, seconds }: LoadSample): Memory | undefined {
  const late = memory.filter(([at]) => at >= seconds / 5);
  const first = late[0];
  const last = late.at(-1);
  if (!first || !last || late.length < 3) return undefined;
  const time = last[0] - first[0];
  const mean = late.reduce((sum, [, bytes]) => sum + bytes, 0) / late.length;
  return { mean, growth: slope(late) * time, minutes: time / 60 };
}
