import { ServiceError } from '../result/errors.ts';

export interface QueueSettings {
  /** Runs at one time. */
  concurrency: number;
  /** Requests that may wait. */
  queueLength: number;
  /** Longest wait. */
  queueWaitSeconds: number;
}

interface Waiting {
  resolve: (release: () => void) => void;
}

/** A bounded number of places with a bounded queue before them, first come first served. */
export function createQueue(settings: QueueSettings) {
  const waiting = new Set<Waiting>();
  let running = 0;
  let closed = false;
  let idle = Promise.withResolvers<undefined>();
  idle.resolve(undefined);

  function take(): () => void {
    if (running === 0) idle = Promise.withResolvers();
    running += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const [first] = waiting;
      if (first) {
        waiting.delete(first);
        first.resolve(take());
      }
      // Last, so that a place that goes from hand to hand is never idle in between.
      running -= 1;
      if (running === 0) idle.resolve(undefined);
    };
  }

  function wait(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        waiting.delete(self);
      };
      const abort = () => {
        leave();
        reject(signal.reason as Error);
      };
      const self: Waiting = {
        resolve: (release) => {
          leave();
          resolve(release);
        },
      };
      const timer = setTimeout(() => {
        leave();
        reject(
          new ServiceError('queue_timeout', `No place became free in ${settings.queueWaitSeconds} s.`, {
            retryAfterSeconds: settings.queueWaitSeconds,
          }),
        );
      }, settings.queueWaitSeconds * 1000);
      signal.addEventListener('abort', abort, { once: true });
      waiting.add(self);
    });
  }

  return {
    /** Waits for a place; the answer gives it back. Throws ServiceError or the signal's reason. */
    async enter(signal: AbortSignal): Promise<() => void> {
      signal.throwIfAborted();
      if (closed)
        throw new ServiceError('shutting_down', 'This server is shutting down and takes no new runs.');
      if (running < settings.concurrency) return take();
      if (waiting.size >= settings.queueLength) {
        throw new ServiceError(
          'queue_full',
          `${running} runs are going on and ${waiting.size} requests wait, which is as many as may.`,
          { retryAfterSeconds: 1 },
        );
      }
      return wait(signal);
    },
    /** Takes no new requests. Those that wait keep their place. */
    close(): void {
      closed = true;
    },
    /** Resolves when nobody has a place, and so nobody waits for one. */
    whenIdle(): Promise<undefined> {
      return idle.promise;
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting.size;
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
