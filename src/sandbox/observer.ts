import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import type { Client } from './client.ts';
import { label, ours } from './names.ts';
import { createFailure, phaseOf, type Phase } from './phase.ts';
import { listAndWatch } from './watch.ts';

/** What is known of one sandbox: its pod, and why it has none. */
export interface Sighting {
  pod: V1Pod | undefined;
  phase: Phase;
}

/** Two watches for all runs: the pods, and the events that say why a Job has no pod. */
export interface Observer {
  /**
   * Waits until `decide` gives an answer for the Job's pod: it is asked now and at each change. Throws what
   * `decide` throws, and the signal's reason.
   */
  when<T>(job: string, decide: (sighting: Sighting) => T | undefined, signal: AbortSignal): Promise<T>;
  /** Why what is known may be out of date; undefined where it is not. */
  stale(): string | undefined;
  /** Ends both watches. */
  close(): Promise<void>;
}

export function createObserver(client: Client, namespace: string, replica: string): Observer {
  const closing = new AbortController();
  const pods = new Map<string, V1Pod>();
  const listeners = new Map<string, Set<(sighting: Sighting) => void>>();
  const live = { pods: false, events: false };

  const tell = (job: string, sighting: Sighting) => {
    for (const listener of listeners.get(job) ?? []) listener(sighting);
  };
  const see = (pod: V1Pod) => {
    const job = jobOf(pod);
    if (job === undefined) return;
    pods.set(job, pod);
    tell(job, { pod, phase: phaseOf(pod) });
  };
  const lose = (pod: V1Pod) => {
    const job = jobOf(pod);
    if (job === undefined) return;
    pods.delete(job);
    tell(job, { pod, phase: gone(pod) });
  };

  const watching = Promise.all([
    listAndWatch<V1Pod>(
      client,
      `/api/v1/namespaces/${namespace}/pods`,
      { labelSelector: `${ours},${label.replica}=${replica}` },
      {
        replace(items) {
          const names = new Set(items.map(jobOf));
          for (const [job, pod] of pods) if (!names.has(job)) lose(pod);
          items.forEach(see);
        },
        change: see,
        remove: lose,
        live: (isLive) => (live.pods = isLive),
      },
      closing.signal,
    ),
    listAndWatch<CoreV1Event>(
      client,
      `/api/v1/namespaces/${namespace}/events`,
      { fieldSelector: 'reason=FailedCreate,involvedObject.kind=Job' },
      {
        replace: () => undefined, // older events are of older Jobs
        change(event) {
          const job = event.involvedObject.name;
          if (job === undefined || pods.has(job)) return;
          tell(job, { pod: undefined, phase: { state: 'failed', ...createFailure(event.message ?? '') } });
        },
        remove: () => undefined,
        live: (isLive) => (live.events = isLive),
      },
      closing.signal,
    ),
  ]);

  return {
    when(job, decide, signal) {
      return new Promise((resolve, reject) => {
        const leave = () => {
          signal.removeEventListener('abort', abort);
          const set = listeners.get(job);
          set?.delete(listener);
          if (set?.size === 0) listeners.delete(job);
        };
        const abort = () => {
          leave();
          reject(signal.reason as Error);
        };
        const listener = (sighting: Sighting) => {
          try {
            const answer = decide(sighting);
            if (answer === undefined) return;
            leave();
            resolve(answer);
          } catch (error) {
            leave();
            reject(error);
          }
        };
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        signal.addEventListener('abort', abort, { once: true });
        listeners.set(job, (listeners.get(job) ?? new Set()).add(listener));
        const pod = pods.get(job);
        listener({ pod, phase: pod ? phaseOf(pod) : { state: 'pending' } });
      });
    },
    stale() {
      if (live.pods && live.events) return undefined;
      return `The watch on ${live.pods ? 'events' : 'pods'} in ${namespace} is broken and being opened again.`;
    },
    async close() {
      closing.abort();
      await watching;
    },
  };
}

function jobOf(pod: V1Pod): string | undefined {
  return pod.metadata?.labels?.['batch.kubernetes.io/job-name'];
}

/** A pod that was deleted: what its status said last, or that it was deleted while it ran. */
function gone(pod: V1Pod): Phase {
  const phase = phaseOf(pod);
  if (phase.state === 'ended' || phase.state === 'failed') return phase;
  return { state: 'ended', cause: 'cancelled', message: 'The run was cancelled: its Job was deleted.' };
}
