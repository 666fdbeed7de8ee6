import assert from 'node:assert/strict';
import type { V1ContainerState, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { describe, it } from 'node:test';
import { createFailure, phaseOf, type Phase } from '../../../src/sandbox/phase.ts';

type Status = Omit<V1PodStatus, 'conditions'> & {
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
};

function pod(
  status: Status,
  rest: { nodeName?: string; deletionTimestamp?: Date } = { nodeName: 'node-1' },
): V1Pod {
  return {
    metadata: {
      name: 'run-a-b',
      ...(rest.deletionTimestamp && { deletionTimestamp: rest.deletionTimestamp }),
    },
    spec: {
      containers: [{ name: 'sandbox' }],
      ...(rest.nodeName !== undefined && { nodeName: rest.nodeName }),
    },
    status: status,
  };
}

function withContainer(phase: string, state: V1ContainerState, more: Status = {}): V1Pod {
  const container = { name: 'sandbox', image: 'i', imageID: '', ready: false, restartCount: 0, state };
  return pod({ phase, containerStatuses: [container], ...more });
}

const scheduled = { type: 'PodScheduled', status: 'True' };

const table: [what: string, pod: V1Pod, phase: Phase][] = [
  ['no status yet', {}, { state: 'pending' }],
  ['not looked at by the scheduler', pod({ phase: 'Pending' }, {}), { state: 'pending' }],
  ['on a node', pod({ phase: 'Pending', conditions: [scheduled] }), { state: 'scheduled' }],
  [
    'its container being made',
    withContainer('Pending', { waiting: { reason: 'ContainerCreating' } }),
    { state: 'scheduled' },
  ],
  ['running', withContainer('Running', { running: { startedAt: new Date() } }), { state: 'running' }],
  [
    'no image',
    withContainer('Pending', {
      waiting: {
        reason: 'ErrImagePull',
        message: 'failed to resolve reference "none.example/none:1": no such host',
      },
    }),
    {
      state: 'failed',
      code: 'image_pull_failed',
      message: 'The sandbox cannot start: failed to resolve reference "none.example/none:1": no such host',
    },
  ],
  [
    'no image, for the second time',
    withContainer('Pending', {
      waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "none.example/none:1"' },
    }),
    {
      state: 'failed',
      code: 'image_pull_failed',
      message: 'The sandbox cannot start: Back-off pulling image "none.example/none:1"',
    },
  ],
  [
    'an image that may not be pulled',
    withContainer('Pending', { waiting: { reason: 'ErrImageNeverPull' } }),
    { state: 'failed', code: 'image_pull_failed', message: 'The sandbox cannot start: ErrImageNeverPull' },
  ],
  [
    'an image name that is none',
    withContainer('Pending', {
      waiting: { reason: 'InvalidImageName', message: 'Failed to apply default image tag' },
    }),
    {
      state: 'failed',
      code: 'image_pull_failed',
      message: 'The sandbox cannot start: Failed to apply default image tag',
    },
  ],
  [
    'a container that cannot be made',
    withContainer('Pending', {
      waiting: {
        reason: 'CreateContainerConfigError',
        message: 'container has runAsNonRoot and image will run as root',
      },
    }),
    {
      state: 'failed',
      code: 'sandbox_failed',
      message: 'The sandbox cannot start: container has runAsNonRoot and image will run as root',
    },
  ],
  [
    'a command that is not in the image',
    withContainer('Failed', {
      terminated: {
        exitCode: 128,
        reason: 'StartError',
        message: 'failed to create containerd task: exec: "python3": executable file not found in $PATH',
      },
    }),
    {
      state: 'failed',
      code: 'sandbox_failed',
      message:
        'The sandbox cannot start: failed to create containerd task: exec: "python3": executable file not found in $PATH',
    },
  ],
  [
    'larger than any node',
    pod(
      {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message:
              '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
          },
        ],
      },
      {},
    ),
    {
      state: 'unschedulable',
      full: false,
      message:
        'No node takes the sandbox: 0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    },
  ],
  [
    'on a full node',
    pod(
      {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message:
              '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
          },
        ],
      },
      {},
    ),
    {
      state: 'unschedulable',
      full: true,
      message:
        'No node takes the sandbox: 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    },
  ],
  [
    'a scheduling gate',
    pod(
      {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
      },
      {},
    ),
    { state: 'pending' },
  ],
  [
    'out of memory',
    withContainer('Failed', { terminated: { exitCode: 137, reason: 'OOMKilled' } }),
    { state: 'ended', cause: 'out_of_memory', message: 'The kernel ended the sandbox for lack of memory.' },
  ],
  [
    'ended by itself',
    withContainer('Succeeded', { terminated: { exitCode: 0, reason: 'Completed' } }),
    { state: 'ended', cause: 'unknown', message: 'The sandbox ended with code 0 and did not say why.' },
  ],
  [
    'ended with an error',
    withContainer('Failed', { terminated: { exitCode: 70, reason: 'Error' } }),
    { state: 'ended', cause: 'unknown', message: 'The sandbox ended with code 70 and did not say why.' },
  ],
  [
    'evicted by the kubelet',
    withContainer(
      'Failed',
      { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } },
      {
        reason: 'Evicted',
        message: 'Usage of EmptyDir volume "scratch" exceeds the limit "256Mi". ',
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }],
      },
    ),
    {
      state: 'ended',
      cause: 'evicted',
      message: 'The node evicted the sandbox: Usage of EmptyDir volume "scratch" exceeds the limit "256Mi". ',
    },
  ],
  [
    'preempted',
    withContainer(
      'Running',
      { running: {} },
      {
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'PreemptionByScheduler',
            message: 'default-scheduler: preempting to accommodate a higher priority pod',
          },
        ],
      },
    ),
    {
      state: 'ended',
      cause: 'evicted',
      message:
        'The node evicted the sandbox: default-scheduler: preempting to accommodate a higher priority pod',
    },
  ],
  [
    'a disruption that did not come to be',
    withContainer(
      'Running',
      { running: {} },
      { conditions: [{ type: 'DisruptionTarget', status: 'False' }] },
    ),
    { state: 'running' },
  ],
  [
    'past its deadline',
    withContainer(
      'Failed',
      { terminated: { exitCode: 137, reason: 'Error' } },
      {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
    ),
    { state: 'ended', cause: 'timed_out', message: 'The Job’s deadline passed.' },
  ],
  [
    'deleted while it ran',
    {
      ...withContainer('Running', { running: {} }),
      metadata: { name: 'run-a-b', deletionTimestamp: new Date() },
    },
    { state: 'ended', cause: 'cancelled', message: 'The run was cancelled: its Job was deleted.' },
  ],
  [
    'deleted, and its container killed',
    {
      ...withContainer('Failed', { terminated: { exitCode: 137, reason: 'Error' } }),
      metadata: { name: 'run-a-b', deletionTimestamp: new Date() },
    },
    { state: 'ended', cause: 'cancelled', message: 'The run was cancelled: its Job was deleted.' },
  ],
  [
    'out of memory, and deleted since',
    {
      ...withContainer('Failed', { terminated: { exitCode: 137, reason: 'OOMKilled' } }),
      metadata: { name: 'run-a-b', deletionTimestamp: new Date() },
    },
    { state: 'ended', cause: 'out_of_memory', message: 'The kernel ended the sandbox for lack of memory.' },
  ],
  [
    'its node deleted',
    withContainer(
      'Failed',
      { running: {} },
      {
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'DeletionByPodGC',
            message: 'PodGC: node no longer exists',
          },
        ],
      },
    ),
    { state: 'ended', cause: 'node_lost', message: 'The node of the sandbox was lost.' },
  ],
  [
    'its node silent',
    pod({
      phase: 'Running',
      reason: 'NodeLost',
      message: 'Node node-1 which was running pod is unresponsive',
    }),
    { state: 'ended', cause: 'node_lost', message: 'The node of the sandbox was lost.' },
  ],
  [
    'unknown to the API server',
    pod({ phase: 'Unknown' }),
    { state: 'ended', cause: 'node_lost', message: 'The node of the sandbox does not answer.' },
  ],
  [
    'refused by the kubelet',
    pod({
      phase: 'Failed',
      reason: 'OutOfcpu',
      message: 'Pod was rejected: Node didn’t have enough resource',
    }),
    {
      state: 'ended',
      cause: 'unknown',
      message: 'The pod failed: OutOfcpu: Pod was rejected: Node didn’t have enough resource',
    },
  ],
  [
    'failed without a word',
    pod({ phase: 'Failed' }),
    { state: 'ended', cause: 'unknown', message: 'The pod failed: no reason given' },
  ],
];

describe('phaseOf', () => {
  for (const [what, seen, phase] of table) {
    it(what, () => {
      assert.deepEqual(phaseOf(seen), phase);
    });
  }
});

describe('createFailure', () => {
  const quota =
    'Error creating: pods "run-a-" is forbidden: exceeded quota: sandboxes, requested: limits.memory=512Mi, used: limits.memory=0, limited: limits.memory=0';
  const range =
    'Error creating: pods "run-a-" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi';
  const admission =
    'Error creating: pods "run-a-" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true';
  for (const [message, code] of [
    [quota, 'quota_exceeded'],
    [range, 'quota_exceeded'],
    [admission, 'forbidden'],
    ['Error creating: pods "run-a-" is forbidden: error looking up service account', 'forbidden'],
  ] as const) {
    it(`${code}: ${message.slice(50, 90)}`, () => {
      assert.deepEqual(createFailure(message), {
        code,
        message: `The cluster refuses the sandbox’s pod: ${message}`,
      });
    });
  }
});
