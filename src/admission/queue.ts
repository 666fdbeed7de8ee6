import { ServiceError } from '../result/errors.ts';
import { createLine } from './line.ts';

export interface QueueSettings {
  /** Runs at one time. */
  concurrency: number;
  /** Requests that may wait. */
  queueLength: number;
  /** Longest wait. */
  queueWaitSeconds: number;
}

/** A bounded number of places with a bounded queue before them, first come first served. */
export function createQueue(settings: QueueSettings) {
  const waiting = createLine<() => void>();
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
      waiting.first?.resolve(take());
      // Last, so that a place that goes from hand to hand is never idle in between.
      running -= 1;
      if (running === 0) idle.resolve(undefined);
    };
  }

  async function wait(signal: AbortSignal): Promise<() => void> {
    const patience = new AbortController();
    const timer = setTimeout(() => {
      patience.abort(
        new ServiceError('queue_timeout', `No place became free in ${settings.queueWaitSeconds} s.`, {
          retryAfterSeconds: settings.queueWaitSeconds,
        }),
      );
    }, settings.queueWaitSeconds * 1000);
    try {
      return await waiting.wait(AbortSignal.any([signal, patience.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    /** Waits for a place; the answer gives it back. Throws ServiceError or the signal's reason. */
    async enter(signal: AbortSignal): Promise<() => void> {
      signal.throwIfAborted();
      if (closed)
        throw new ServiceError('shutting_down', 'This server is shutting down and takes no new runs.');
      if (running < settings.concurrency) return take();
      if (waiting.length >= settings.queueLength) {
        throw new ServiceError(
          'queue_full',
          `${running} runs are going on and ${waiting.length} requests wait, which is as many as may.`,
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
      return waiting.length;
    },
  };
}

export type Queue = ReturnType<typeof createQueue>;
