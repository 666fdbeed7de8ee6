import { randomBytes } from 'node:crypto';

/** Labels and annotations that a Job and its pod carry: they are the whole state of a run. */
export const label = {
  name: 'app.kubernetes.io/name',
  managedBy: 'app.kubernetes.io/managed-by',
  execution: 'vivarium.dev/execution',
  request: 'vivarium.dev/request',
  replica: 'vivarium.dev/replica',
} as const;

export const annotation = {
  limits: 'vivarium.dev/limits',
} as const;

export const managedBy = 'vivarium';
export const sandboxName = 'vivarium-sandbox';
export const containerName = 'sandbox';

/** Selects every Job, pod and Lease of Vivarium. */
export const ours = `${label.managedBy}=${managedBy}`;

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** 26 characters, 130 random bits: valid in names and labels, and not to be guessed. */
export function newExecutionId(): string {
  return Array.from(randomBytes(26), (byte) => alphabet.charAt(byte % 32)).join('');
}

export const executionIdPattern = /^[a-z2-7]{26}$/;

export function jobName(executionId: string): string {
  return `run-${executionId}`;
}

export function leaseName(replica: string): string {
  return `vivarium-${replica}`;
}
