import { setTimeout as sleep } from 'node:timers/promises';
import { busyShare } from '../bed/processors.ts';
import { poolOf, poolState, startVivarium, stopVivarium, type Vivarium } from '../bed/servers.ts';
import { say } from '../log.ts';
import { readyPerSecond } from '../report/rates.ts';
import type { FillSample } from '../samples.ts';
import { settle, type Bench } from './bench.ts';
import { counters } from './counters.ts';

const longestSeconds = 120;

/** A server of its own whose pool is large, from empty to full: sandboxes with their imports done, as fast as they come. */
export async function fill(bench: Bench, repeat: number): Promise<void> {
  await settle(bench);
  const busy = busyShare();
  const vivarium = await startVivarium([poolOf(bench.plan.refill.size)]);
  try {
    const ready = await watchFill(vivarium, bench.signal);
    const { cpuSeconds } = await counters(vivarium);
    const sample = { repeat, ready, busy: busy(), cpuSeconds };
    bench.samples.fills.push(sample);
    say(`a pool of ${vivarium.poolSize}: ${readyPerSecond(sample).toFixed(2)} a second`);
  } finally {
    await stopVivarium(vivarium);
  }
}

async function watchFill(vivarium: Vivarium, signal: AbortSignal): Promise<FillSample['ready']> {
  const began = performance.now();
  const ready: FillSample['ready'] = [];
  for (;;) {
    const seconds = (performance.now() - began) / 1000;
    const state = await poolState(vivarium);
    if (state.ready !== ready.at(-1)?.[1]) ready.push([seconds, state.ready]);
    if (state.ready >= vivarium.poolSize) return ready;
    if (seconds > longestSeconds) {
      throw new Error(`After ${longestSeconds} s the pool has ${state.ready} of ${vivarium.poolSize} ready.`);
    }
    await sleep(100, undefined, { signal });
  }
}
