import type { Config } from '../config.ts';
import { ServiceError } from '../result/errors.ts';
import { SandboxLost } from '../schedule/backend.ts';
import { podPath } from './names.ts';
import type { Observer, Sighting } from './observer.ts';

export interface Started {
  /** Path of the pod on the API server. */
  podPath: string;
  /** When it had a node; performance.now(). */
  placedAt: number;
}

/**
 * Waits until the container of a Job runs. Throws at once where it never will: ServiceError (image, quota, admission,
 * no node that fits), SandboxLost where it ended instead.
 */
export async function waitForStart(
  observer: Observer,
  config: Config,
  job: string,
  signal: AbortSignal,
): Promise<Started> {
  let placedAt: number | undefined;
  let unfit: ServiceError | undefined;
  const patience = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  const decide = ({ pod, phase }: Sighting): Started | undefined => {
    if (pod?.spec?.nodeName) placedAt ??= performance.now();
    unfit = phase.state === 'unschedulable' ? new ServiceError('unschedulable', phase.message) : undefined;
    if (phase.state !== 'unschedulable' || phase.full) {
      clearTimeout(timer);
      timer = undefined;
    }
    switch (phase.state) {
      case 'failed':
        throw new ServiceError(phase.code, phase.message);
      case 'ended':
        throw new SandboxLost(phase.cause, phase.message);
      case 'unschedulable':
        // A full cluster frees up as runs end. Where nothing fits, a new node may be on its way, but not for long.
        if (!phase.full) {
          timer ??= setTimeout(() => {
            patience.abort();
          }, config.unschedulableSeconds * 1000);
        }
        return undefined;
      case 'running':
        return {
          podPath: podPath(config.namespace, pod),
          placedAt: placedAt ?? performance.now(),
        };
      case 'pending':
      case 'scheduled':
        return undefined;
    }
  };

  try {
    return await observer.when(job, decide, AbortSignal.any([signal, patience.signal]));
  } catch (error) {
    if (unfit && (signal.aborted || patience.signal.aborted)) throw unfit;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
