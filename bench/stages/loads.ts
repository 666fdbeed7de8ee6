import { setTimeout as sleep } from 'node:timers/promises';
import { resultOf } from '../../test/e2e/harness/clients.ts';
import { scrape, total } from '../prometheus.ts';
import type { LoadName, LoadSample } from '../samples.ts';
import { median } from '../stats.ts';
import { faultOf, workloads } from '../workloads.ts';
import { say } from '../log.ts';
import { readyPerSecond } from '../report/rates.ts';
import { messageOf, settle, type Bench } from './bench.ts';
import { counters } from './counters.ts';
import { busyShare } from '../bed/processors.ts';
import { burst, closedLoop, openLoop, type Run, type Send } from './drive.ts';

const longestSeconds = 200;

/** One run of the shortest program. */
function sender({ warm, signal }: Bench): Send {
  const workload = workloads.print;
  return async () => {
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(longestSeconds * 1000)]);
      const result = resultOf(await warm.caller.call({ code: workload.code }, { signal: limit }));
      return faultOf(workload, { ...result, exitCode: result.exit_code });
    } catch (error) {
      return messageOf(error);
    }
  };
}

/** A load on the server with the pool, and what the server counted meanwhile. */
async function load(
  bench: Bench,
  about: { name: LoadName; size: number; repeat: number; seconds: number },
  drive: (send: Send) => Promise<Run[]>,
): Promise<LoadSample> {
  await settle(bench);
  const before = await counters(bench.warm);
  const busy = busyShare();
  const watched = watchMemory(bench);
  let runs: Run[];
  try {
    runs = await drive(sender(bench));
  } finally {
    watched.stop();
  }
  const share = busy();
  const after = await counters(bench.warm);
  const faults = runs.flatMap(({ fault }) => fault ?? []);
  const sample: LoadSample = {
    ...about,
    runs: runs.map(({ at, seconds }) => [at, seconds]),
    faults,
    hits: after.hits - before.hits,
    misses: after.misses - before.misses,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    writes: after.writes - before.writes,
    busy: share,
    memory: await watched.seen,
  };
  bench.samples.loads.push(sample);
  const p50 = (median(runs.map(({ seconds }) => seconds)) * 1000).toFixed(0);
  say(`${about.name} ${about.size}: ${runs.length} runs, ${faults.length} failed, p50 ${p50} ms`);
  return sample;
}

/** The server's resident memory, once a second. */
function watchMemory({ warm, signal }: Bench) {
  const stopped = new AbortController();
  const until = AbortSignal.any([signal, stopped.signal]);
  const began = performance.now();
  const watch = async () => {
    const seen: [number, number][] = [];
    while (!until.aborted) {
      const bytes = total(await scrape(warm.server.probesUrl), 'process_resident_memory_bytes');
      seen.push([(performance.now() - began) / 1000, bytes]);
      await sleep(1000, undefined, { signal: until }).catch(() => undefined);
    }
    return seen;
  };
  const seen = watch();
  seen.catch(() => undefined); // whoever awaits it hears of it
  return {
    seen,
    stop: () => {
      stopped.abort();
    },
  };
}

export async function closedLoops(bench: Bench): Promise<void> {
  const { sizes, seconds } = bench.plan.closed;
  for (const size of sizes) {
    await load(bench, { name: 'closed', size, repeat: 0, seconds }, (send) =>
      closedLoop(send, size, seconds, bench.signal),
    );
  }
}

/** Arrivals at parts of the rate at which a pool fills. */
export async function openLoops(bench: Bench): Promise<void> {
  const { rates, seconds } = bench.plan.open;
  const refill = median(bench.samples.fills.map(readyPerSecond));
  if (!(refill > 0)) throw new Error('The refill rate is not known: no pool was filled.');
  for (const size of rates) {
    await load(bench, { name: 'open', size, repeat: 0, seconds }, (send) =>
      openLoop(send, size * refill, seconds, bench.random, bench.signal),
    );
  }
}

export async function bursts(bench: Bench): Promise<void> {
  const { sizes, repeats } = bench.plan.bursts;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const size of sizes) {
      const count = size * Math.max(1, bench.warm.poolSize);
      await load(bench, { name: 'burst', size, repeat, seconds: 0 }, (send) => burst(send, count));
    }
  }
}

export async function sustained(bench: Bench): Promise<void> {
  const { clients, seconds } = bench.plan.sustained;
  await load(bench, { name: 'sustained', size: clients, repeat: 0, seconds }, (send) =>
    closedLoop(send, clients, seconds, bench.signal),
  );
}
