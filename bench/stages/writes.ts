import { setTimeout as sleep } from 'node:timers/promises';
import { resultOf } from '../../test/e2e/harness/clients.ts';
import { stopwatch } from '../arms/arm.ts';
import type { DeliverySample } from '../samples.ts';
import { faultOf, workloads } from '../workloads.ts';
import { say } from '../log.ts';
import { messageOf, settle, type Bench } from './bench.ts';
import { apiServerWrites, counters, growth } from './counters.ts';

/** What the server writes to the API between a request and the start of its code. */
export async function deliveries(bench: Bench): Promise<void> {
  for (let index = 0; index < bench.plan.deliveries; index += 1) {
    await settle(bench);
    bench.samples.deliveries.push(await delivery(bench));
  }
  const writes = bench.samples.deliveries.map((sample) => sample.writes);
  say(`writes before delivery, run by run: ${writes.join(' ')}`);
}

async function delivery({ warm, signal }: Bench): Promise<DeliverySample> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);
  const before = await counters(warm);
  const running = Promise.withResolvers<number>();
  running.promise.catch(() => undefined); // the run's own error is the one to tell
  const onProgress = (message: string) => {
    if (message === 'running') running.resolve(counters(warm).then(({ writes }) => writes - before.writes));
  };
  try {
    // It stays a while, so that what its end brings about is not counted.
    const code = 'import time\ntime.sleep(0.3)';
    const result = resultOf(await warm.caller.call({ code }, { signal: limit, onProgress }));
    const fault = result.status === 'succeeded' ? undefined : result.message;
    running.reject(new Error('The server did not say when the code began to run.'));
    return { writes: await running.promise, ...(fault !== undefined && { fault }) };
  } catch (error) {
    signal.throwIfAborted();
    return { writes: 0, fault: messageOf(error) };
  }
}

/** What some runs, one after the other, and all that follows from them, write to the API. */
export async function apiWrites(bench: Bench): Promise<void> {
  const { runs } = bench.plan.apiWrites;
  const workload = workloads.print;
  await settle(bench);
  const atStart = await counted(bench);
  const clock = stopwatch();
  for (let run = 0; run < runs; run += 1) {
    const result = resultOf(await bench.warm.caller.call({ code: workload.code }, { signal: bench.signal }));
    const fault = faultOf(workload, { ...result, exitCode: result.exit_code });
    if (fault !== undefined) throw new Error(fault);
    await settle(bench);
  }
  const seconds = clock();
  const atEnd = await counted(bench);
  await sleep(seconds * 1000, undefined, { signal: bench.signal });
  const afterIdle = await counted(bench);
  bench.samples.apiWrites.push({
    runs,
    seconds,
    loaded: growth(atStart.cluster, atEnd.cluster),
    idle: growth(atEnd.cluster, afterIdle.cluster),
    ownLoaded: growth(atStart.own, atEnd.own),
    ownIdle: growth(atEnd.own, afterIdle.own),
  });
  say(`${runs} runs and their writes in ${seconds.toFixed(0)} s, and as long without`);
}

async function counted({ warm }: Bench) {
  const [cluster, own] = await Promise.all([apiServerWrites(), counters(warm)]);
  return { cluster, own: own.requests };
}
