import { setTimeout as sleep } from 'node:timers/promises';
import type { Blob, Blobs } from './blobs.ts';
import { aboutKey, artifactIdOf, artifactKey } from './id.ts';

export interface SweepLimits {
  maxAgeSeconds: number;
  /** Of all artifacts together. */
  maxBytes: number;
}

export type RemovalReason = 'age' | 'size' | 'unfinished';

export interface Removal {
  reason: RemovalReason;
  artifacts: number;
  bytes: number;
}

export interface SweepEvents {
  removed(removal: Removal): void;
  failed(error: unknown): void;
}

/** An artifact by what is there of it. */
interface Stored {
  id: string;
  bytes: number;
  modified: Date;
  /** Both its data and what is known about it. */
  whole: boolean;
}

/** How long an upload may take before what it has left is removed. */
const unfinishedMs = 3_600_000;
/** Artifacts are added up by age in so many steps: a sweep's memory does not grow with the store. */
const ageSteps = 10_000;
const removedAtOnce = 500;

/** Sizes by the step of time in which artifacts were made. */
export type Tally = Map<number, number>;

/** What goes: all of the steps before `before`, and of that step itself so many bytes. */
export interface Plan {
  before: number;
  bytesOfIt: number;
}

/** The oldest go until the rest is no larger than it may be. */
export function planRemoval(tally: Tally, maxBytes: number): Plan {
  let excess = [...tally.values()].reduce((sum, bytes) => sum + bytes, 0) - maxBytes;
  for (const [step, bytes] of [...tally].sort(([one], [other]) => one - other)) {
    if (excess < bytes) return { before: step, bytesOfIt: Math.max(0, excess) };
    excess -= bytes;
  }
  return { before: Infinity, bytesOfIt: 0 };
}

/**
 * Removes what is too old, then the oldest until the rest fits. Several servers may sweep one store at one time: they
 * come to the same plan. Files of shelves go as artifacts do; keys that look otherwise are let be.
 */
export async function sweep(
  blobs: Blobs,
  { maxAgeSeconds, maxBytes }: SweepLimits,
  removed: SweepEvents['removed'],
  signal: AbortSignal,
): Promise<void> {
  const now = Date.now();
  const stepMs = Math.max(1000, (maxAgeSeconds * 1000) / ageSteps);
  const stepOf = ({ modified }: Stored) => Math.floor(modified.getTime() / stepMs);
  const isOld = ({ modified }: Stored) => modified.getTime() + maxAgeSeconds * 1000 <= now;
  const isUnfinished = ({ whole, modified }: Stored) => !whole && modified.getTime() + unfinishedMs <= now;

  const tally: Tally = new Map();
  for await (const each of storedIn(blobs, signal)) {
    if (!isOld(each) && !isUnfinished(each)) {
      tally.set(stepOf(each), (tally.get(stepOf(each)) ?? 0) + each.bytes);
    }
  }
  const { before, bytesOfIt } = planRemoval(tally, maxBytes);
  let left = bytesOfIt;

  function reasonToGo(each: Stored): RemovalReason | undefined {
    if (isUnfinished(each)) return 'unfinished';
    if (isOld(each)) return 'age';
    // What came since the tally, and what is still on its way, is not in the plan.
    if (!each.whole || !tally.has(stepOf(each))) return undefined;
    if (stepOf(each) < before) return 'size';
    if (stepOf(each) > before || left <= 0) return undefined;
    left -= each.bytes;
    return 'size';
  }

  const going = createRemovals(blobs, removed, signal);
  for await (const each of storedIn(blobs, signal)) {
    const reason = reasonToGo(each);
    if (reason) await going.add(each, reason);
  }
  await going.flush();
  await blobs.removeUnfinished(new Date(now - unfinishedMs), signal);
}

/** Sweeps at once and then every so often, until the signal aborts. A sweep that fails is told of and tried again. */
export async function keepSwept(
  blobs: Blobs,
  limits: SweepLimits,
  everySeconds: number,
  events: SweepEvents,
  signal: AbortSignal,
): Promise<void> {
  do {
    await sweep(blobs, limits, events.removed, signal).catch((error: unknown) => {
      if (!signal.aborted) events.failed(error);
    });
    await sleep(everySeconds * 1000, undefined, { signal, ref: false }).catch(() => undefined);
  } while (!signal.aborted);
}

function createRemovals(blobs: Blobs, removed: SweepEvents['removed'], signal: AbortSignal) {
  let keys: string[] = [];
  let tally = new Map<RemovalReason, Removal>();

  async function flush(): Promise<void> {
    // Without what is known about it an artifact is not there: whoever reads it meanwhile finds all of it, or nothing.
    await blobs.remove(keys.map(aboutKey), signal);
    await blobs.remove(keys, signal);
    for (const removal of tally.values()) removed(removal);
    keys = [];
    tally = new Map();
  }

  return {
    flush,
    async add({ id, bytes }: Stored, reason: RemovalReason): Promise<void> {
      const key = artifactKey(id);
      if (key === undefined) return;
      keys.push(key);
      const so = tally.get(reason) ?? { reason, artifacts: 0, bytes: 0 };
      tally.set(reason, { reason, artifacts: so.artifacts + 1, bytes: so.bytes + bytes });
      if (keys.length >= removedAtOnce) await flush();
    },
  };
}

/** All artifacts, put together from their keys, of which those of one run follow each other. */
async function* storedIn(blobs: Blobs, signal: AbortSignal): AsyncGenerator<Stored> {
  let folder = '';
  let found = new Map<string, Blob[]>();
  for await (const blob of blobs.list('', signal)) {
    const id = artifactIdOf(blob.key);
    if (id === undefined) continue;
    const its = blob.key.slice(0, blob.key.indexOf('/'));
    if (its !== folder) {
      yield* putTogether(found);
      folder = its;
      found = new Map();
    }
    found.set(id, [...(found.get(id) ?? []), blob]);
  }
  yield* putTogether(found);
}

function putTogether(found: Map<string, Blob[]>): Stored[] {
  return [...found].map(([id, parts]) => ({
    id,
    bytes: parts.reduce((sum, { size }) => sum + size, 0),
    modified: new Date(Math.max(...parts.map(({ modified }) => modified.getTime()))),
    whole: parts.length === 2,
  }));
}
