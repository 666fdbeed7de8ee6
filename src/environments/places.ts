import { createQueue } from '../admission/queue.ts';
import { ServiceError } from '../result/errors.ts';
import type { Enter } from './shared.ts';

const atOnce = 2;
const mayWait = 16;

/** Places for work that goes on beside runs; `what` says for people what is done there. */
export function createPlaces(what: string, queueWaitSeconds: number): Enter {
  const queue = createQueue({ concurrency: atOnce, queueLength: mayWait, queueWaitSeconds });
  return async (signal) => {
    try {
      return await queue.enter(signal);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'queue_full') throw error;
      throw new ServiceError(
        'queue_full',
        `${atOnce} ${what} and ${mayWait} wait, which is as many as may.`,
        { retryAfterSeconds: 10 },
      );
    }
  };
}
