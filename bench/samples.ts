import { readFileSync, writeFileSync } from 'node:fs';
import type { ArmName, Marks } from './arms/arm.ts';
import type { WorkloadName } from './workloads.ts';

/** Everything that was measured, and nothing that was computed from it. Times are seconds. */
export interface Samples {
  setting: Setting;
  arms: ArmSample[];
  loads: LoadSample[];
  ceiling: CeilingSample[];
  fills: FillSample[];
  outputs: OutputSample[];
  deliveries: DeliverySample[];
  apiWrites: ApiWrites[];
  /** Stages that could not be carried out. */
  faults: { stage: string; message: string }[];
}

/** What was measured, on what. */
export interface Setting {
  date: string;
  commit: string;
  seed: number;
  quick: boolean;
  seconds: number;
  machine: { processor: string; processors: number; memoryGB: number; kernel: string; load: number };
  versions: { kubernetes: string; node: string; python: string };
  pools: { name: string; min: number; max: number; preload: string[] }[];
  server: Record<string, number>;
}

export interface ArmSample {
  round: string;
  block: number;
  arm: ArmName;
  workload: WorkloadName;
  seconds: number;
  marks: Marks;
  fault?: string;
}

export type LoadName = 'closed' | 'open' | 'burst' | 'sustained';

export interface LoadSample {
  name: LoadName;
  /** Clients of a closed loop, part of the refill rate of an open one, pools of a burst. */
  size: number;
  repeat: number;
  /** How long requests were sent. */
  seconds: number;
  /** When a request was sent, since the load's begin, and how long its answer took. */
  runs: [number, number][];
  faults: string[];
  hits: number;
  misses: number;
  cpuSeconds: number;
  /** The server's own writes to the API. */
  writes: number;
  /** Part of the machine's processors that was busy. */
  busy: number;
  /** Resident bytes of the server: when, how much. */
  memory: [number, number][];
}

export interface CeilingSample {
  imports: boolean;
  inFlight: number;
  /** Undefined where it is one of those that look for the best number in flight. */
  repeat?: number;
  busy: number;
  /** When each pod's container had ended, since the begin. */
  ended: number[];
  seconds: number;
  failed: number;
}

/** An empty pool that fills: how many were ready, when. */
export interface FillSample {
  repeat: number;
  /** When, how many. */
  ready: [number, number][];
  /** Part of the machine's processors that was busy, and what the server took of them. */
  busy: number;
  cpuSeconds: number;
}

export interface OutputSample {
  bytes: number;
  /** From the request to the code's start, and to the result. */
  started: number;
  seconds: number;
  fault?: string;
}

/** The server's own writes between a request and its code's start. */
export interface DeliverySample {
  writes: number;
  fault?: string;
}

/** Writes that the API server counted over some runs, and over as long a time without any, by "verb resource". */
export interface ApiWrites {
  runs: number;
  seconds: number;
  loaded: Record<string, number>;
  idle: Record<string, number>;
  /** The server's own count of its requests, likewise. */
  ownLoaded: Record<string, number>;
  ownIdle: Record<string, number>;
}

export function readSamples(path: string): Samples {
  return JSON.parse(readFileSync(path, 'utf8')) as Samples;
}

/** One line for each sample; numbers to a tenth of a millisecond. */
export function writeSamples(path: string, samples: Samples): void {
  const short = (_key: string, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value;
  const fields = Object.entries(samples).map(([name, value]: [string, unknown]) => {
    if (!Array.isArray(value)) return `${JSON.stringify(name)}: ${JSON.stringify(value, short)}`;
    const lines = value.map((item) => `\n${JSON.stringify(item, short)}`);
    return `${JSON.stringify(name)}: [${lines.join(',')}]`;
  });
  writeFileSync(path, `{\n${fields.join(',\n')}\n}\n`);
}
