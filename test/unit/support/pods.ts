import type { V1ContainerState, V1Pod, V1PodStatus } from '@kubernetes/client-node';

type Status = Omit<V1PodStatus, 'conditions'> & {
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
};

export function pod(
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

export function withContainer(phase: string, state: V1ContainerState, more: Status = {}): V1Pod {
  const container = { name: 'sandbox', image: 'i', imageID: '', ready: false, restartCount: 0, state };
  return pod({ phase, containerStatuses: [container], ...more });
}

/** The same pod, deleted and not yet gone. */
export function deleting(going: V1Pod): V1Pod {
  going.metadata = { name: 'run-a-b', deletionTimestamp: new Date() };
  return going;
}
