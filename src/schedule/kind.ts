import { isDeepStrictEqual } from 'node:util';
import type { ExecutionRequest } from '../request/execution.ts';
import type { Policy } from '../admission/policy.ts';
import type { Kind, Limits } from './backend.ts';

/** Sandboxes that are kept ready, all of one kind. */
export interface PoolSettings {
  name: string;
  image: string;
  /** Empty for none. */
  runtimeClass: string;
  cpu: number;
  memoryMb: number;
  /** Modules that its sandboxes import before they are ready. */
  preload: readonly string[];
  /** Fewest and most sandboxes that wait for a run. */
  min: number;
  max: number;
}

/** What a sandbox is made of where no pool says otherwise, and the pools. */
export interface KindSettings {
  image: string;
  runtimeClass: string;
  pools: readonly PoolSettings[];
}

/** The kind of a pool's sandboxes. */
export function kindOfPool({ image, runtimeClass, cpu, memoryMb }: PoolSettings): Kind {
  return { image, runtimeClass, cpu, memory_mb: memoryMb };
}

type Asked = Pick<ExecutionRequest, 'pool' | 'code'>;

/** The policy for a request: the pool that it names sets the defaults. */
export function policyFor<P extends Policy>(asked: Asked, policy: P, pools: readonly PoolSettings[]): P {
  const named = pools.find(({ name }) => name === asked.pool);
  return named ? { ...policy, defaultCpu: named.cpu, defaultMemoryMb: named.memoryMb } : policy;
}

/** The image of a request's sandbox. */
export function imageFor(asked: Asked, settings: KindSettings): string {
  return (settings.pools.find(({ name }) => name === asked.pool) ?? settings).image;
}

/** The kind of sandbox that a run needs. */
export function kindOf(asked: Asked, limits: Limits, settings: KindSettings): Kind {
  const { image, runtimeClass } = settings.pools.find(({ name }) => name === asked.pool) ?? settings;
  return { image, runtimeClass, cpu: limits.cpu, memory_mb: limits.memory_mb };
}

/** The pool whose sandboxes are of a kind: the named one, or else the one that has imported most of what the code does. */
export function choosePool(
  asked: Asked,
  kind: Kind,
  pools: readonly PoolSettings[],
): PoolSettings | undefined {
  const fitting = pools.filter(
    (pool) =>
      (asked.pool === undefined || pool.name === asked.pool) && isDeepStrictEqual(kindOfPool(pool), kind),
  );
  if (fitting.length < 2) return fitting[0];
  const imported = importsOf(asked.code);
  const uses = (pool: PoolSettings) => pool.preload.filter((module) => imported.has(topLevel(module))).length;
  return fitting.reduce((best, pool) => (uses(pool) > uses(best) ? pool : best));
}

/** Top-level modules that a program's own import statements name. A wrong guess costs time and nothing else. */
export function importsOf(code: string): Set<string> {
  const statements = code.matchAll(/^[ \t]*(?:from[ \t]+([\w.]+)|import[ \t]+([^#;\n]+))/gm);
  const names = [...statements].flatMap(([, from, list = '']) => from ?? list.split(','));
  return new Set(names.map((name) => topLevel(name.trim())));
}

function topLevel(name: string): string {
  return /^\w*/.exec(name)?.[0] ?? '';
}
