import { createLine } from '../admission/line.ts';
import type { Backend, Sandbox } from './backend.ts';
import { createDemand } from './demand.ts';
import { kindOfPool, type PoolSettings } from './kind.ts';
import { pauseSeconds, plan } from './plan.ts';

export interface PoolEvents {
  /** A request got a sandbox that was ready (a hit), or has to wait for one (a miss). */
  claimed(pool: string, outcome: 'hit' | 'miss'): void;
  refilled(pool: string, seconds: number): void;
  /** A sandbox did not become ready, or ended before it had a run. */
  failed(pool: string, error: unknown): void;
  /** Modules that could not be imported, and why. */
  notPreloaded(pool: string, failed: Record<string, string>): void;
}

/** What is to be seen of a pool. */
export interface PoolState {
  pool: string;
  ready: number;
  starting: number;
  claimed: number;
  oldestSeconds: number;
}

/** Sandboxes of one kind that are ready before a request comes. */
export interface Pool {
  name: string;
  /**
   * The oldest ready sandbox; where there is none, the first that becomes ready, in the order of the calls. Throws what
   * kept a sandbox from starting, and the signal's reason.
   */
  take(signal: AbortSignal): Promise<Sandbox>;
  state(): PoolState;
  /** From now on makes sandboxes for requests alone, and keeps none ready. */
  drain(): void;
  /** Ends what is left. */
  close(): Promise<void>;
}

export interface PoolLimits {
  /** Longest life of a sandbox: what it may wait, the longest run, and the fetching of its files. */
  poolMaxAgeSeconds: number;
  maxTimeoutSeconds: number;
  fetchSeconds: number;
  startTimeoutSeconds: number;
}

/** How many sandboxes start at one time to refill the pools of this server. */
export interface Refills {
  max: number;
  now: number;
}

/** A sandbox that has stood this long shows that what failed before fails no more. */
const steadyMs = 10_000;

/** A refill leaves a run that has just begun this long to end, for they share an API server and often a node. */
const settleMs = 50;

export function createPool(
  backend: Pick<Backend, 'open'>,
  settings: PoolSettings,
  limits: PoolLimits,
  refills: Refills,
  events: PoolEvents,
): Pool {
  const { name, min, max } = settings;
  const spec = {
    kind: kindOfPool(settings),
    pool: name,
    claim: undefined,
    lifeSeconds: limits.poolMaxAgeSeconds + limits.fetchSeconds + limits.maxTimeoutSeconds,
    build: false,
  };
  const closing = new AbortController();
  const demand = createDemand();
  const ready = new Set<Sandbox>();
  const waiting = createLine<Sandbox>();
  const making = new Set<Promise<void>>();
  const leaving = new Set<Promise<void>>();
  /** Sandboxes on their way to being ready, and those of them that have no container yet. */
  let starting = 0;
  let opening = 0;
  let claimed = 0;
  let refillSeconds = 1;
  let failures = 0;
  let failedAt = 0;
  let draining = false;
  let timer: NodeJS.Timeout | undefined;
  let lookAt = Infinity;

  /** Looks at the pool then, or before if that was said already. */
  function lookIn(ms: number): void {
    const at = performance.now() + ms;
    if (draining || at >= lookAt) return;
    clearTimeout(timer);
    lookAt = at;
    timer = setTimeout(look, ms);
  }

  function look(): void {
    const now = performance.now();
    lookAt = Infinity;
    const idle = oldestFirst();
    if (idle.some(({ placedAt }) => placedAt > failedAt && now - placedAt > steadyMs)) failures = 0;
    const { create, retire, againSeconds } = plan(
      {
        ages: idle.map(({ placedAt }) => (now - placedAt) / 1000),
        starting,
        waiting: waiting.length,
        arrivalsPerSecond: demand.perSecond(now),
        refillSeconds,
        failures,
        secondsSinceFailure: (now - failedAt) / 1000,
      },
      { min, max, maxAgeSeconds: limits.poolMaxAgeSeconds, room: refills.max - refills.now },
    );
    for (const sandbox of idle.slice(0, retire)) drop(sandbox);
    for (let made = 0; made < create; made += 1) start();
    lookIn(againSeconds * 1000);
  }

  /** Those that are ready. The first to be placed need not be the first to be ready. */
  function oldestFirst(): Sandbox[] {
    return [...ready].sort((one, other) => one.placedAt - other.placedAt);
  }

  function start(): void {
    starting += 1;
    opening += 1;
    refills.now += 1;
    const work = make().finally(() => making.delete(work));
    making.add(work);
  }

  /** Starts a sandbox and gives it to a request as soon as one waits: before its preload, or after. */
  async function make(): Promise<void> {
    const began = performance.now();
    let sandbox: Sandbox;
    try {
      sandbox = await backend.open(spec, closing.signal).finally(() => (opening -= 1));
    } catch (error) {
      arrived();
      failed(error);
      // A sandbox of its own would have failed this request likewise.
      if (waiting.length > starting) waiting.first?.reject(error as Error);
      return;
    }
    if (waiting.first || draining) give(sandbox);
    else await preload(sandbox, began);
  }

  async function preload(sandbox: Sandbox, began: number): Promise<void> {
    const late = AbortSignal.timeout(limits.startTimeoutSeconds * 1000);
    try {
      const notThere = await sandbox.preload(settings.preload, AbortSignal.any([closing.signal, late]));
      if (Object.keys(notThere).length > 0) events.notPreloaded(name, notThere);
    } catch (error) {
      arrived();
      failed(error);
      drop(sandbox);
      startForThoseWaiting();
      return;
    }
    const seconds = (performance.now() - began) / 1000;
    refillSeconds += (seconds - refillSeconds) / 5;
    events.refilled(name, seconds);
    give(sandbox);
  }

  /** A sandbox is on its way no more. */
  function arrived(): void {
    starting -= 1;
    refills.now -= 1;
    lookIn(0);
  }

  function give(sandbox: Sandbox): void {
    arrived();
    if (waiting.first) waiting.first.resolve(sandbox);
    else keep(sandbox);
  }

  function keep(sandbox: Sandbox): void {
    const { gone } = sandbox;
    const lose = () => {
      if (!ready.has(sandbox)) return;
      failed(gone.reason);
      drop(sandbox);
      lookIn(0);
    };
    ready.add(sandbox);
    if (draining) drop(sandbox);
    else if (gone.aborted) lose();
    else gone.addEventListener('abort', lose, { once: true });
  }

  function drop(sandbox: Sandbox): void {
    ready.delete(sandbox);
    const left = sandbox.dispose().finally(() => leaving.delete(left));
    leaving.add(left);
  }

  function failed(error: unknown): void {
    if (closing.signal.aborted) return;
    events.failed(name, error);
    const now = performance.now();
    // What fails at one time fails for one reason.
    if ((now - failedAt) / 1000 < pauseSeconds(failures)) return;
    failures += 1;
    failedAt = now;
  }

  function takeReady(): Sandbox | undefined {
    const now = performance.now();
    const sandbox = oldestFirst().find(({ placedAt }) => (now - placedAt) / 1000 < limits.poolMaxAgeSeconds);
    if (sandbox) ready.delete(sandbox);
    return sandbox;
  }

  function wait(signal: AbortSignal): Promise<Sandbox> {
    const turn = waiting.wait(signal);
    startForThoseWaiting();
    return turn;
  }

  /** Each has a sandbox that is about to start: one that imports already may take longer. */
  function startForThoseWaiting(): void {
    if (waiting.length > opening) start();
  }

  function drain(): void {
    draining = true;
    clearTimeout(timer);
    for (const idle of ready) drop(idle);
  }

  lookIn(0);
  return {
    name,
    async take(signal) {
      signal.throwIfAborted();
      demand.arrived(performance.now());
      const sandbox = takeReady();
      if (sandbox) failures = 0;
      events.claimed(name, sandbox ? 'hit' : 'miss');
      lookIn(settleMs);
      const taken = sandbox ?? (await wait(signal));
      claimed += 1;
      return {
        ...taken,
        async dispose() {
          claimed -= 1;
          await taken.dispose();
        },
      };
    },
    state() {
      const [oldest] = oldestFirst();
      return {
        pool: name,
        ready: ready.size,
        starting,
        claimed,
        oldestSeconds: oldest ? (performance.now() - oldest.placedAt) / 1000 : 0,
      };
    },
    drain,
    async close() {
      drain();
      closing.abort();
      await Promise.all(making);
      await Promise.all(leaving);
    },
  };
}
