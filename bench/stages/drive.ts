import { setTimeout as sleep } from 'node:timers/promises';

/** When a request was sent, how long its answer took, and what was wrong with it. */
export interface Run {
  at: number;
  seconds: number;
  fault: string | undefined;
}

/** One request; what is wrong with its answer. */
export type Send = () => Promise<string | undefined>;

type Clocked = () => Promise<void>;

/** Collects runs, clocked from one begin. */
function clocked(send: Send, runs: Run[]): Clocked {
  const began = performance.now();
  const now = () => (performance.now() - began) / 1000;
  return async () => {
    const at = now();
    const fault = await send();
    runs.push({ at, seconds: now() - at, fault });
  };
}

/** Clients that each send again as soon as they are answered, for a time. */
export async function closedLoop(
  send: Send,
  clients: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Run[]> {
  const runs: Run[] = [];
  const run = clocked(send, runs);
  const until = performance.now() + seconds * 1000;
  const client = async () => {
    while (performance.now() < until && !signal.aborted) await run();
  };
  await Promise.all(Array.from({ length: clients }, client));
  signal.throwIfAborted();
  return runs;
}

/** Requests that come by chance, so many a second on average, whatever becomes of those before (Poisson). */
export async function openLoop(
  send: Send,
  rate: number,
  seconds: number,
  random: () => number,
  signal: AbortSignal,
): Promise<Run[]> {
  const runs: Run[] = [];
  const run = clocked(send, runs);
  const under: Promise<void>[] = [];
  const began = performance.now();
  for (let due = 0; ;) {
    due += -Math.log(1 - random()) / rate;
    if (due > seconds) break;
    await sleep(Math.max(0, due * 1000 - (performance.now() - began)), undefined, { signal });
    under.push(run());
  }
  await Promise.all(under);
  return runs;
}

/** All at one time. */
export async function burst(send: Send, count: number): Promise<Run[]> {
  const runs: Run[] = [];
  const run = clocked(send, runs);
  await Promise.all(Array.from({ length: count }, run));
  return runs;
}
