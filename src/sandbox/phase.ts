import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { SandboxLost } from '../schedule/backend.ts';
import type { ErrorCode } from '../result/errors.ts';

/** Where a pod is on its way, as far as its status tells. */
export type Phase =
  | { state: 'pending' }
  /** No node takes it: `full` where one would if other pods ended. */
  | { state: 'unschedulable'; full: boolean; message: string }
  | { state: 'scheduled' }
  | { state: 'running' }
  /** It will not start. */
  | { state: 'failed'; code: ErrorCode; message: string }
  /** It ran and has ended. */
  | { state: 'ended'; cause: SandboxLost['cause']; message: string };

/** Reasons for which a container waits that no waiting mends. */
const failures: Record<string, ErrorCode> = {
  ErrImagePull: 'image_pull_failed',
  ImagePullBackOff: 'image_pull_failed',
  ErrImageNeverPull: 'image_pull_failed',
  InvalidImageName: 'image_pull_failed',
  ImageInspectError: 'image_pull_failed',
  CreateContainerConfigError: 'sandbox_failed',
  CreateContainerError: 'sandbox_failed',
  RunContainerError: 'sandbox_failed',
};

/** Reads a pod's status. Pure. */
export function phaseOf(pod: V1Pod): Phase {
  const container = pod.status?.containerStatuses?.[0];
  const ended = endOf(pod, container);
  if (ended) return ended;

  const waiting = container?.state?.waiting;
  const code = waiting?.reason === undefined ? undefined : failures[waiting.reason];
  if (code) {
    return {
      state: 'failed',
      code,
      message: `The sandbox cannot start: ${waiting?.message ?? waiting?.reason ?? ''}`,
    };
  }
  if (container?.state?.running) return { state: 'running' };

  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    const message = `No node takes the sandbox: ${scheduled.message ?? ''}`;
    // Where the pod fits an empty node, the scheduler looks for others to preempt.
    return { state: 'unschedulable', full: message.includes('No preemption victims found'), message };
  }
  return pod.spec?.nodeName ? { state: 'scheduled' } : { state: 'pending' };
}

function endOf(pod: V1Pod, container: V1ContainerStatus | undefined): Phase | undefined {
  const { reason, message } = pod.status ?? {};
  const disrupted = pod.status?.conditions?.find(
    (condition) => condition.type === 'DisruptionTarget' && condition.status === 'True',
  );
  const terminated = container?.state?.terminated;
  if (reason === 'DeadlineExceeded') return ended('timed_out', 'The Job’s deadline passed.');
  if (reason === 'NodeLost' || disrupted?.reason === 'DeletionByPodGC') {
    return ended('node_lost', 'The node of the sandbox was lost.');
  }
  if (reason === 'Evicted' || disrupted) {
    return ended('evicted', `The node evicted the sandbox: ${message ?? disrupted?.message ?? reason ?? ''}`);
  }
  if (terminated?.reason === 'OOMKilled') {
    return ended('out_of_memory', 'The kernel ended the sandbox for lack of memory.');
  }
  if (terminated && (terminated.reason === 'StartError' || terminated.reason === 'ContainerCannotRun')) {
    return {
      state: 'failed',
      code: 'sandbox_failed',
      message: `The sandbox cannot start: ${terminated.message ?? ''}`,
    };
  }
  if (pod.metadata?.deletionTimestamp)
    return ended('cancelled', 'The run was cancelled: its Job was deleted.');
  if (terminated)
    return ended('unknown', `The sandbox ended with code ${terminated.exitCode} and did not say why.`);
  if (pod.status?.phase === 'Failed') {
    return ended(
      'unknown',
      `The pod failed: ${[reason, message].filter(Boolean).join(': ') || 'no reason given'}`,
    );
  }
  if (pod.status?.phase === 'Unknown') return ended('node_lost', 'The node of the sandbox does not answer.');
  return undefined;
}

function ended(cause: SandboxLost['cause'], message: string): Phase {
  return { state: 'ended', cause, message };
}

/**
 * Why the Job controller cannot make a pod, from the message of its FailedCreate event. Undefined where it will try again
 * with better luck: two pods wrote to one quota, or a webhook did not answer.
 */
export function createFailure(message: string): { code: ErrorCode; message: string } | undefined {
  if (!/forbidden|denied|invalid/i.test(message)) return undefined;
  const code = /exceeded quota|limited:|maximum .* usage/i.test(message) ? 'quota_exceeded' : 'forbidden';
  return { code, message: `The cluster refuses the sandbox’s pod: ${message}` };
}
