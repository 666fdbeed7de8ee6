import type { V1Job } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Client } from './client.ts';
import { label, ours } from './names.ts';

const intervalSeconds = 15;

type Names = Pick<ReadonlySet<string>, 'has'>;

/** Names of this replica's Jobs that are neither live nor finished. Pure. Finished ones go by their TTL. */
export function orphans(jobs: V1Job[], live: Names): string[] {
  return jobs
    .filter((job) => !job.metadata?.deletionTimestamp && !isFinished(job))
    .flatMap((job) => job.metadata?.name ?? [])
    .filter((name) => !live.has(name));
}

export interface JobIdentity {
  name: string;
  uid?: string | undefined;
}

export function isFinished(job: V1Job): boolean {
  return (job.status?.conditions ?? []).some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
}

/** Deletes what a failed deletion left behind, until the signal is aborted. Other replicas' Jobs go with their Leases. */
export async function reap(
  client: Client,
  namespace: string,
  replica: string,
  live: Names,
  onReaped: (name: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  // A run that has just ended is live no more, and its Job not yet complete: it takes two rounds to be an orphan.
  let suspects = new Set<string>();
  while (!signal.aborted) {
    try {
      await sleep(intervalSeconds * 1000, undefined, { signal });
      const query = { labelSelector: `${ours},${label.replica}=${replica}` };
      const jobs = await client.json<{ items: V1Job[] }>(path, { query, signal });
      const found = orphans(jobs.items, live);
      for (const name of found.filter((orphan) => suspects.has(orphan))) {
        await deleteJob(client, namespace, { name }, signal);
        onReaped(name);
      }
      suspects = new Set(found);
    } catch {
      // The API server is away, or this server is closing: the next round, or the Lease's end, does it.
    }
  }
}

/**
 * Deletes a Job and its pod, at once. A Job that is not there is no error. Where its uid is known, a newer one of its name
 * stays.
 */
export async function deleteJob(
  client: Client,
  namespace: string,
  { name, uid }: JobIdentity,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.json(`/apis/batch/v1/namespaces/${namespace}/jobs/${name}`, {
      method: 'DELETE',
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        ...(uid !== undefined && { preconditions: { uid } }),
      },
      signal,
    });
  } catch (error) {
    const isGone =
      error instanceof ApiError && (error.status === 404 || (uid !== undefined && error.status === 409));
    if (!isGone) throw error;
  }
}
