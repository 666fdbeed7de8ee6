import type { Policy } from '../admission/policy.ts';
import type { ExecutionRequest } from '../request/execution.ts';
import { isPython } from '../request/language.ts';
import type { Backend, Claim, Limits, Sandbox } from './backend.ts';
import { choosePool, imageFor, kindOf, policyFor, type KindSettings } from './kind.ts';
import { createPool, type PoolEvents, type PoolLimits, type PoolState } from './pool.ts';

export interface Need {
  limits: Limits;
  /** The run that a sandbox is made for; undefined where one was made for it already, and did not do. */
  claim: Claim | undefined;
  /** Nothing may be preloaded. */
  bare: boolean;
}

/** Where runs get their sandboxes: from the pool that fits, or made for them. */
export interface Sandboxes {
  /** The policy for a request: the pool that it names sets the defaults. */
  policyFor<P extends Policy>(request: ExecutionRequest, policy: P): P;
  /** The image that a request runs in. */
  imageFor(request: ExecutionRequest): string;
  /** A started sandbox. Throws ServiceError, or the signal's reason. */
  take(request: ExecutionRequest, need: Need, signal: AbortSignal): Promise<Sandbox>;
  states(): PoolState[];
  /** From now on makes sandboxes for requests alone, and keeps none ready. */
  drain(): void;
  /** Ends what is left. */
  close(): Promise<void>;
}

/** A place for one program in another language than Python. Throws ServiceError and the signal's reason. */
export type TakeElsewhere = (language: string, signal: AbortSignal) => Promise<Sandbox>;

export function createSandboxes(
  backend: Pick<Backend, 'open'>,
  settings: KindSettings & PoolLimits & { refillConcurrency: number; fetchSeconds: number },
  events: PoolEvents,
  takeElsewhere?: TakeElsewhere,
): Sandboxes {
  const refills = { max: settings.refillConcurrency, now: 0 };
  const pools = settings.pools.map((pool) => createPool(backend, pool, settings, refills, events));
  return {
    policyFor: (request, policy) => policyFor(request, policy, settings.pools),
    imageFor: (request) => imageFor(request, settings),
    take(request, { limits, claim, bare }, signal) {
      if (takeElsewhere && !isPython(request.language)) return takeElsewhere(request.language, signal);
      const kind = kindOf(request, limits, settings);
      const fitting = choosePool(request, kind, settings.pools);
      const pool = pools.find(({ name }) => name === fitting?.name);
      if (pool && !bare) return pool.take(signal);
      const fetches = request.files.some(({ url }) => url !== undefined);
      const lifeSeconds = limits.seconds + (fetches ? settings.fetchSeconds : 0);
      return backend.open({ kind, pool: undefined, claim, lifeSeconds, build: false }, signal);
    },
    states: () => pools.map((pool) => pool.state()),
    drain() {
      for (const pool of pools) pool.drain();
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
