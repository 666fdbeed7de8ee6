import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import { listAndWatch } from '../../src/sandbox/watch.ts';
import { until } from '../../test/e2e/harness/until.ts';
import { bestInFlight, podsPerSecond } from '../report/rates.ts';
import { shuffled } from '../stats.ts';
import type { CeilingSample } from '../samples.ts';
import { say } from '../log.ts';
import { messageOf, settle, type Bench } from './bench.ts';
import { fill } from './fill.ts';
import { busyShare } from '../bed/processors.ts';

const mark = { 'vivarium.dev/bench': 'ceiling' };

const jobsPath = (namespace: string) => `/apis/batch/v1/namespaces/${namespace}/jobs`;
const longestSeconds = 60;

/**
 * How many pods this machine starts in a second: Jobs like Vivarium's, straight through the API, whose container ends at
 * once. Then, with the number in flight at which it starts most, that and the filling of a pool in turns.
 */
export async function ceilingAndRefill(bench: Bench): Promise<void> {
  const { plan, random, samples } = bench;
  const template = await findJob(bench);
  const start = async (imports: boolean, inFlight: number, seconds: number, repeat?: number) => {
    await settle(bench);
    const sample = await startPods(bench, (name) => rawJob(template, imports, name), inFlight, seconds);
    samples.ceiling.push({ imports, inFlight, ...(repeat !== undefined && { repeat }), ...sample });
    const what = `${inFlight} pods in flight${imports ? ' with imports' : ''}`;
    say(`${what}: ${podsPerSecond(sample).toFixed(2)} a second, ${sample.failed} failed`);
  };
  for (const imports of [false, true]) {
    for (const inFlight of plan.ceiling.inFlight) await start(imports, inFlight, plan.ceiling.seconds);
  }
  const best = bestInFlight(samples, true);
  for (let repeat = 0; repeat < plan.refill.repeats; repeat += 1) {
    const turns = [() => start(true, best, plan.closed.seconds, repeat), () => fill(bench, repeat)];
    for (const turn of shuffled(turns, random)) await turn();
  }
}

async function startPods(
  { cluster, signal }: Bench,
  makeJob: (name: string) => V1Job,
  inFlight: number,
  seconds: number,
): Promise<Omit<CeilingSample, 'imports' | 'inFlight' | 'repeat'>> {
  const stopped = new AbortController();
  const watchSignal = AbortSignal.any([signal, stopped.signal]);
  const waiting = new Map<string, (phase: string) => void>();
  const see = ({ metadata, status }: V1Pod) => {
    const state = status?.containerStatuses?.[0]?.state;
    if (state?.terminated) {
      waiting.get(metadata?.labels?.['job-name'] ?? '')?.(state.terminated.exitCode === 0 ? '' : 'failed');
    }
  };
  const ignore = () => undefined;
  const namespace = cluster.release.sandboxes;
  const watching = listAndWatch<V1Pod>(
    cluster.client,
    `/api/v1/namespaces/${namespace}/pods`,
    { labelSelector: 'vivarium.dev/bench=ceiling' },
    { replace: (pods) => void pods.map(see), change: see, remove: ignore, live: ignore },
    watchSignal,
  );
  const began = performance.now();
  const now = () => (performance.now() - began) / 1000;
  const ended: number[] = [];
  let failed = 0;
  const busy = busyShare();
  const giveUp = () => {
    for (const end of waiting.values()) end('interrupted');
  };
  signal.addEventListener('abort', giveUp, { once: true });
  const lane = async () => {
    while (now() < seconds && !signal.aborted) {
      const name = `ceiling-${randomUUID()}`;
      const end = Promise.withResolvers<string>();
      const late = setTimeout(() => {
        end.resolve('late');
      }, longestSeconds * 1000);
      waiting.set(name, end.resolve);
      try {
        const body = makeJob(name);
        await cluster.client.json(jobsPath(namespace), { method: 'POST', body, signal });
        if ((await end.promise) === '') ended.push(now());
        else failed += 1;
      } catch (error) {
        signal.throwIfAborted();
        say(messageOf(error));
        failed += 1;
      } finally {
        clearTimeout(late);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, lane));
  } finally {
    signal.removeEventListener('abort', giveUp);
    stopped.abort();
    await watching;
  }
  return { ended, seconds, failed, busy: busy() };
}

/** A Job of Vivarium's as the cluster has it: one of the pool, else that of a run. */
async function findJob({ cluster, cold, signal }: Bench): Promise<V1Job> {
  const ended = new AbortController();
  const running = cold.caller
    .call({ code: 'import time\ntime.sleep(20)' }, { signal: AbortSignal.any([signal, ended.signal]) })
    .catch(() => undefined);
  try {
    return await until(
      'there is a Job',
      async () => {
        const path = jobsPath(cluster.release.sandboxes);
        const { items } = await cluster.client.json<{ items: V1Job[] }>(path, { signal });
        return items[0];
      },
      30,
    );
  } finally {
    ended.abort();
    await running;
  }
}

/** That Job for another program, which ends at once: nobody's, and without what the cluster wrote into it. */
function rawJob({ spec }: V1Job, imports: boolean, name: string): V1Job {
  const podSpec = structuredClone(spec?.template.spec);
  const container = podSpec?.containers[0];
  if (!container) throw new Error('The Job of a sandbox has no container.');
  container.command = ['python3', '-c', imports ? 'import numpy, pandas' : 'pass'];
  container.args = [];
  container.stdin = false;
  container.stdinOnce = false;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels: mark },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: spec?.ttlSecondsAfterFinished ?? 0,
      template: { metadata: { labels: mark }, spec: podSpec },
    },
  };
}
