import { ServiceError } from '../../../result/errors.ts';
import { unlessAborted } from '../../../unless-aborted.ts';

/** What may wait for one caller. */
const mostWaiting = 16;

export type InTurn = ReturnType<typeof createTurns>;

/** One thing at a time for each caller, in the order of asking. Nothing is kept of a caller for whom nothing is done. */
export function createTurns() {
  const lines = new Map<string, { last: Promise<unknown>; length: number }>();
  /** Throws what the work does, ServiceError where too many wait, and the signal's reason where that comes before the turn. */
  return async <T>(caller: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const line = lines.get(caller) ?? { last: Promise.resolve(), length: 0 };
    if (line.length > mostWaiting)
      throw new ServiceError('queue_full', `${mostWaiting} calls of this caller wait already.`);
    lines.set(caller, line);
    const { last } = line;
    const done = Promise.withResolvers<undefined>();
    line.last = last.then(() => done.promise);
    line.length += 1;
    try {
      await unlessAborted(last, signal);
      return await work();
    } finally {
      done.resolve(undefined);
      line.length -= 1;
      if (line.length === 0) lines.delete(caller);
    }
  };
}
