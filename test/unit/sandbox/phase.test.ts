import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, it } from 'node:test';
import { createFailure, phaseOf, type Phase } from '../../../src/sandbox/phase.ts';
import { pod, withContainer } from '../support/pods.ts';

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
];

describe('phaseOf a pod on its way', () => {
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

  for (const message of [
    'Error creating: Operation cannot be fulfilled on resourcequotas "sandboxes": the object has been modified; please apply your changes to the latest version and try again',
    'Error creating: Internal error occurred: failed calling webhook "policy.example": context deadline exceeded',
  ]) {
    it(`nothing that another try does not mend: ${message.slice(16, 60)}`, () => {
      assert.equal(createFailure(message), undefined);
    });
  }
});
