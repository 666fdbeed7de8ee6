import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, it } from 'node:test';
import { phaseOf, type Phase } from '../../../src/sandbox/phase.ts';
import { deleting, pod, withContainer } from '../support/pods.ts';

const table: [what: string, pod: V1Pod, phase: Phase][] = [
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
    deleting(withContainer('Running', { running: {} })),
    { state: 'ended', cause: 'cancelled', message: 'The run was cancelled: its Job was deleted.' },
  ],
  [
    'deleted, and its container killed',
    deleting(withContainer('Failed', { terminated: { exitCode: 137, reason: 'Error' } })),
    { state: 'ended', cause: 'cancelled', message: 'The run was cancelled: its Job was deleted.' },
  ],
  [
    'out of memory, and deleted since',
    deleting(withContainer('Failed', { terminated: { exitCode: 137, reason: 'OOMKilled' } })),
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

describe('phaseOf a pod that ran', () => {
  for (const [what, seen, phase] of table) {
    it(what, () => {
      assert.deepEqual(phaseOf(seen), phase);
    });
  }
});
