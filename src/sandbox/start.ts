import type { Config } from '../config.ts';
import { ServiceError } from '../result/errors.ts';
import { SandboxLost } from '../schedule/backend.ts';
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
  const decide = ({ pod, phase }: Sighting): Started | { unschedulable: string } | undefined => {
    if (pod?.spec?.nodeName) placedAt ??= performance.now();
    switch (phase.state) {
      case 'failed':
        throw new ServiceError(phase.code, phase.message);
      case 'ended':
        throw new SandboxLost(phase.cause, phase.message);
      case 'unschedulable':
        return { unschedulable: phase.message };
      case 'running':
        return {
          podPath: `/api/v1/namespaces/${config.namespace}/pods/${pod?.metadata?.name ?? ''}`,
          placedAt: placedAt ?? performance.now(),
        };
      case 'pending':
      case 'scheduled':
        return undefined;
    }
  };
  const first = await observer.when(job, decide, signal);
  if (!('unschedulable' in first)) return first;

  // Other runs may end, or a node may come.
  const patience = AbortSignal.timeout(config.unschedulableSeconds * 1000);
  try {
    return await observer.when(
      job,
      (sighting) => {
        const answer = decide(sighting);
        return answer && 'unschedulable' in answer ? undefined : answer;
      },
      AbortSignal.any([signal, patience]),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw patience.aborted ? new ServiceError('unschedulable', first.unschedulable) : error;
  }
}
