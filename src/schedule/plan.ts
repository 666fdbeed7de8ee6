/** What is seen of a pool. */
export interface Observed {
  /** Ages of the sandboxes that are ready, in seconds. */
  ages: readonly number[];
  /** Sandboxes on their way to being ready. */
  starting: number;
  /** Requests that wait for one. Each has one of those on their way. */
  waiting: number;
  arrivalsPerSecond: number;
  /** From a sandbox's creation to its being ready. */
  refillSeconds: number;
  /** Sandboxes in a row that did not become ready, or ended before they had a run. */
  failures: number;
  secondsSinceFailure: number;
}

/** What is wanted of it. */
export interface Desired {
  min: number;
  max: number;
  maxAgeSeconds: number;
  /** How many more sandboxes may start now. */
  room: number;
}

export interface Plan {
  /** Sandboxes that should be ready. */
  target: number;
  create: number;
  /** How many go, the oldest first. */
  retire: number;
  /** When to look again, if nothing happens before. */
  againSeconds: number;
}

/** More are kept ready than arrive on average while one is made, because arrivals come in clusters. */
const headroom = 1.5;

/** The end of a sandbox's time, in which its replacement is made: a part of it, and no less than a start may take. */
const staleShare = 0.1;
const staleSeconds = 10;

const longestPauseSeconds = 60;

/** How a pool gets from what it is to what it should be. Pure. */
export function plan(observed: Observed, desired: Desired): Plan {
  const { ages, starting, waiting } = observed;
  const demand = observed.arrivalsPerSecond * observed.refillSeconds * headroom;
  // What is left of a demand that has faded away keeps no sandbox.
  const target = Math.min(Math.max(Math.ceil(demand - 0.01), desired.min), desired.max);
  const pause = Math.max(0, pauseSeconds(observed.failures) - observed.secondsSinceFailure);

  const stale = desired.maxAgeSeconds - Math.max(desired.maxAgeSeconds * staleShare, staleSeconds);
  const fresh = ages.filter((age) => age < stale).length;
  const coming = Math.max(0, starting - waiting);
  // After a failure one sandbox at a time shows whether it is over.
  const room = observed.failures === 0 ? desired.room : Math.min(desired.room, 1 - coming);
  const create = pause > 0 ? 0 : Math.max(0, Math.min(target - fresh - coming, room));

  const expired = ages.filter((age) => age >= desired.maxAgeSeconds).length;
  const retire = Math.max(expired, ages.length - target);
  return { target, create, retire, againSeconds: pause > 0 ? pause : 5 };
}

/** How long no sandbox is made after failures in a row: 1, 2, 4 … seconds from the last one. */
export function pauseSeconds(failures: number): number {
  return failures === 0 ? 0 : Math.min(2 ** (failures - 1), longestPauseSeconds);
}
