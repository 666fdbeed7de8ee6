import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import type { Client } from './client.ts';
import { jobNameLabel, label, ours } from './names.ts';
import { createFailure, phaseOf, type Phase } from './phase.ts';
import { listAndWatch } from './watch.ts';

/** What is known of one sandbox: its pod, and why it has none. */
export interface Sighting {
  pod: V1Pod | undefined;
  phase: Phase;
}

/** Three watches for all runs: pods, the events that containers have started, and those that say why a Job has no pod. */
export interface Observer {
  /**
   * Waits until `decide` gives an answer for the Job's pod: it is asked now and at each change. Throws what
   * `decide` throws, and the signal's reason.
   */
  when<T>(job: string, decide: (sighting: Sighting) => T | undefined, signal: AbortSignal): Promise<T>;
  /** From here on only pods of the Job with this uid count under its name, which another had before. */
  expect(job: string, uid: string): void;
  /** Why what is known may be out of date; undefined where it is not. */
  stale(): string | undefined;
  /** Ends the watches. */
  close(): Promise<void>;
}

type Listener = (sighting: Sighting) => void;

/** Ends of pods that are gone, and that a run may still ask for. */
const keptEnds = 1000;

export function createObserver(client: Client, namespace: string, replica: string): Observer {
  const closing = new AbortController();
  const pods = new Map<string, V1Pod>();
  const ends = new Map<string, Phase>();
  const expected = new Map<string, string>();
  const listeners = new Map<string, Set<Listener>>();
  const broken = new Set<string>();

  const tell = (job: string, sighting: Sighting) => {
    for (const listener of listeners.get(job) ?? []) listener(sighting);
  };
  const isOld = (job: string, pod: V1Pod) =>
    expected.has(job) && pod.metadata?.ownerReferences?.[0]?.uid !== expected.get(job);
  const see = (pod: V1Pod) => {
    const job = jobOf(pod);
    if (job === undefined || isOld(job, pod)) return;
    pods.set(job, pod);
    tell(job, { pod, phase: phaseOf(pod) });
  };
  const lose = (pod: V1Pod) => {
    const job = jobOf(pod);
    if (job === undefined || isOld(job, pod)) return;
    const phase = gone(pod);
    pods.delete(job);
    // A run that still reads asks only when it has read all: no change comes then any more.
    ends.set(job, phase);
    trim(ends);
    tell(job, { pod, phase });
  };

  const podsPath = `/api/v1/namespaces/${namespace}/pods`;
  const eventsPath = `/api/v1/namespaces/${namespace}/events`;
  const live = (what: string) => (isLive: boolean) => {
    if (isLive) broken.delete(what);
    else broken.add(what);
  };
  const watchEvents = (fieldSelector: string, change: (event: CoreV1Event) => void) =>
    listAndWatch<CoreV1Event>(
      client,
      eventsPath,
      { fieldSelector },
      { replace: () => undefined, change, remove: () => undefined, live: live(`events (${fieldSelector})`) },
      closing.signal,
    );

  const watching = Promise.all([
    listAndWatch<V1Pod>(
      client,
      podsPath,
      { labelSelector: `${ours},${label.replica}=${replica}` },
      {
        replace(items) {
          const names = new Set(items.map(jobOf));
          for (const [job, pod] of pods) if (!names.has(job)) lose(pod);
          items.forEach(see);
        },
        change: see,
        remove: lose,
        live: live('pods'),
      },
      closing.signal,
    ),
    // The kubelet tells a start by an event at once, and by the pod's status up to a second later.
    watchEvents('reason=Started,involvedObject.kind=Pod', ({ involvedObject }) => {
      const [job, pod] = [...pods].find(([, known]) => known.metadata?.uid === involvedObject.uid) ?? [];
      if (job === undefined || pod === undefined) return;
      const phase = phaseOf(pod);
      if (phase.state === 'pending' || phase.state === 'scheduled')
        tell(job, { pod, phase: { state: 'running' } });
    }),
    watchEvents('reason=FailedCreate,involvedObject.kind=Job', ({ involvedObject: { name }, message }) => {
      if (name === undefined || pods.has(name)) return;
      const failure = createFailure(message ?? '');
      if (failure) tell(name, { pod: undefined, phase: { state: 'failed', ...failure } });
    }),
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
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        signal.addEventListener('abort', abort, { once: true });
        listeners.set(job, (listeners.get(job) ?? new Set()).add(listener));
        const pod = pods.get(job);
        listener({ pod, phase: pod ? phaseOf(pod) : (ends.get(job) ?? { state: 'pending' }) });
      });
    },
    expect(job, uid) {
      expected.delete(job);
      expected.set(job, uid);
      trim(expected);
      ends.delete(job);
      const pod = pods.get(job);
      if (pod && isOld(job, pod)) pods.delete(job);
    },
    stale() {
      if (broken.size === 0) return undefined;
      return `The watch on ${[...broken].join(' and ')} in ${namespace} is broken and being opened again.`;
    },
    async close() {
      closing.abort();
      await watching;
    },
  };
}

/** Leaves what came last. */
function trim(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) if (map.size > keptEnds) map.delete(oldest);
}

function jobOf(pod: V1Pod): string | undefined {
  return pod.metadata?.labels?.[jobNameLabel];
}

/** A pod that was deleted: what its status said last, or that it was deleted while it ran. */
function gone(pod: V1Pod): Phase {
  const phase = phaseOf(pod);
  if (phase.state === 'ended' || phase.state === 'failed') return phase;
  return { state: 'ended', cause: 'cancelled', message: 'The run was cancelled: its Job was deleted.' };
}
