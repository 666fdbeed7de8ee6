import { ServiceError } from '../result/errors.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** Who may wait at one time, for all keys together. */
const mostAskers = 64;

/** What several ask for at one time, and is done once. */
export interface Shared<T> {
  /**
   * What the work for a key comes to: that which goes on, or else new work. The signal ends the wait of the one who asks, and
   * the work only where it has not begun and nobody else waits for it. Throws what the work does, ServiceError where too many wait,
   * and the signal's reason.
   */
  ask(key: string, work: Work<T>, asker: Asker): Promise<T>;
  /** Ends all work, and resolves when it has ended. */
  close(): Promise<void>;
}

export interface Asker {
  signal: AbortSignal;
  /** How far the work is: one line of text. */
  onProgress(line: string): void;
}

export type Work<T> = (signal: AbortSignal, say: (line: string) => void) => Promise<T>;

/** Waits for a place to work in; the answer gives it back. */
export type Enter = (signal: AbortSignal) => Promise<() => void>;

interface Going<T> {
  result: Promise<T>;
  askers: Set<Asker>;
  lastLine: string | undefined;
  /** Ends it while it has not begun. */
  giveUp(): void;
}

const atOnce: Enter = () => Promise.resolve(() => undefined);

export function createShared<T>(enter = atOnce): Shared<T> {
  const closing = new AbortController();
  const going = new Map<string, Going<T>>();
  let waiting = 0;

  function begin(key: string, work: Work<T>): Going<T> {
    const unwanted = new AbortController();
    const signal = AbortSignal.any([closing.signal, unwanted.signal]);
    let begun = false;
    const say = (line: string) => {
      here.lastLine = line;
      for (const asker of here.askers) asker.onProgress(line);
    };
    const perform = async () => {
      const leave = await enter(signal);
      begun = true;
      try {
        return await work(closing.signal, say);
      } finally {
        leave();
      }
    };
    const forget = () => {
      if (going.get(key) === here) going.delete(key);
    };
    const here: Going<T> = {
      result: perform().finally(() => {
        forget();
      }),
      askers: new Set(),
      lastLine: undefined,
      giveUp() {
        if (begun) return;
        forget();
        unwanted.abort();
      },
    };
    // There may be nobody left to hear of a failure.
    here.result.catch(() => undefined);
    going.set(key, here);
    return here;
  }

  return {
    async ask(key, work, asker) {
      asker.signal.throwIfAborted();
      closing.signal.throwIfAborted();
      if (waiting >= mostAskers) {
        throw new ServiceError(
          'queue_full',
          `${waiting} requests wait for environments or lists of packages, which is as many as may.`,
          { retryAfterSeconds: 10 },
        );
      }
      const here = going.get(key) ?? begin(key, work);
      waiting += 1;
      here.askers.add(asker);
      try {
        if (here.lastLine !== undefined) asker.onProgress(here.lastLine);
        return await unlessAborted(here.result, asker.signal);
      } finally {
        waiting -= 1;
        here.askers.delete(asker);
        if (here.askers.size === 0) here.giveUp();
      }
    },
    async close() {
      closing.abort(new ServiceError('shutting_down', 'This server is shutting down and builds no more.'));
      await Promise.allSettled([...going.values()].map(({ result }) => result));
    },
  };
}
