import type { V1Pod } from '@kubernetes/client-node';
import { createHash } from 'node:crypto';
import { builds } from '../schedule/backend.ts';

/** Labels and annotations that a Job and its pod carry: they are the whole state of a run. */
export const label = {
  name: 'app.kubernetes.io/name',
  managedBy: 'app.kubernetes.io/managed-by',
  execution: 'vivarium.dev/execution',
  caller: 'vivarium.dev/caller',
  request: 'vivarium.dev/request',
  replica: 'vivarium.dev/replica',
  pool: 'vivarium.dev/pool',
  /** What a NetworkPolicy tells apart: a `sandbox` has no network, a `builder` of an environment has. */
  role: 'vivarium.dev/role',
  /** Key of the session whose sandbox it is. */
  session: 'vivarium.dev/session',
} as const;

export const annotation = {
  limits: 'vivarium.dev/limits',
  /** Where other replicas reach the owner of a session. */
  url: 'vivarium.dev/url',
  /** Why a session has ended. */
  ended: 'vivarium.dev/ended',
} as const;

export const managedBy = 'vivarium';
export const sandboxName = 'vivarium-sandbox';
export const containerName = 'sandbox';

/** ConfigMap of the sandbox namespace that says which environments there are. */
export const environmentRecords = 'vivarium-environments';

/** Selects every Job, pod and Lease of Vivarium. */
export const ours = `${label.managedBy}=${managedBy}`;

/** Pods of a Job carry this label with its name. */
export const jobNameLabel = 'batch.kubernetes.io/job-name';

/** `id` is that of the run, where the Job is made for it. */
export function jobName(id: string): string {
  return `run-${id}`;
}

export function sessionJobName(key: string): string {
  return `session-${key}`;
}

/** A caller as a label: its name may be anything. */
export function callerLabel(caller: string): string {
  return createHash('sha256').update(caller).digest('hex').slice(0, 40);
}

/** Selects a caller's run; anybody's but a build where the caller is empty. */
export function runSelector({ executionId, caller }: { executionId: string; caller: string }): string {
  const run = `${label.execution}=${executionId}`;
  const theirs = caller === '' ? `!=${callerLabel(builds)}` : `=${callerLabel(caller)}`;
  return `${run},${label.caller}${theirs}`;
}

/** Path of a pod on the API server. */
export function podPath(namespace: string, pod: V1Pod | undefined): string {
  return `/api/v1/namespaces/${namespace}/pods/${pod?.metadata?.name ?? ''}`;
}

export function leaseName(replica: string): string {
  return `vivarium-${replica}`;
}
