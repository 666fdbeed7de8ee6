import type { V1OwnerReference } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, withRetry, type Client } from './client.ts';
import { label, leaseName, managedBy, ours } from './names.ts';

/** A replica counts as dead when it has not renewed its Lease for this long. */
export const leaseSeconds = 30;
const renewSeconds = 10;

/**
 * The replica's sign of life, and the owner of its Jobs: when the Lease is deleted, by the replica at its end or by
 * another that finds it expired, the garbage collector takes the Jobs.
 */
export interface Heartbeat {
  owner(): V1OwnerReference;
  /** Deletes the Lease, and so every Job that is left. */
  close(): Promise<void>;
}

/** A coordination.k8s.io/v1 Lease, as it travels: times are strings. */
export interface Lease {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    labels: Record<string, string>;
    uid?: string;
    resourceVersion?: string;
  };
  spec: { holderIdentity: string; leaseDurationSeconds: number; acquireTime: string; renewTime: string };
}

export async function startHeartbeat(
  client: Client,
  namespace: string,
  replica: string,
  onExpired: (replica: string) => void,
  signal: AbortSignal,
): Promise<Heartbeat> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const name = leaseName(replica);
  const body = (now: Date) => makeLease(namespace, replica, now);
  // A Lease of this name is that of a dead predecessor: its Jobs are nobody's.
  await remove(client, `${path}/${name}`, signal);
  let lease = await client.json<Lease>(path, { method: 'POST', body: body(new Date()), signal });
  const closing = new AbortController();

  async function renew(): Promise<void> {
    try {
      const spec = { ...lease.spec, renewTime: microTime(new Date()) };
      lease = await client.json<Lease>(`${path}/${name}`, {
        method: 'PUT',
        body: { ...lease, spec },
        signal: closing.signal,
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Changed by a renewal whose answer was lost, or deleted by a replica that took this one for dead.
      const found = (await leases()).find((other) => other.metadata.name === name);
      lease =
        found ??
        (await client.json<Lease>(path, { method: 'POST', body: body(new Date()), signal: closing.signal }));
    }
  }

  async function leases(): Promise<Lease[]> {
    const query = { labelSelector: ours };
    return (await client.json<{ items: Lease[] }>(path, { query, signal: closing.signal })).items;
  }

  async function deleteExpired(): Promise<void> {
    for (const other of await leases()) {
      const { name: otherName, uid, resourceVersion } = other.metadata;
      if (otherName === name || !isExpired(other, new Date())) continue;
      await remove(client, `${path}/${otherName}`, closing.signal, { uid, resourceVersion });
      onExpired(other.spec.holderIdentity);
    }
  }

  const beating = (async () => {
    while (!closing.signal.aborted) {
      // A beat that fails is repeated at the next; readiness follows the watches, which fail with it.
      await deleteExpired().catch(() => undefined);
      await sleep(renewSeconds * 1000, undefined, { signal: closing.signal }).catch(() => undefined);
      await renew().catch(() => undefined);
    }
  })();

  return {
    owner: () => ({ apiVersion: lease.apiVersion, kind: lease.kind, name, uid: lease.metadata.uid ?? '' }),
    async close() {
      closing.abort();
      await beating;
      const late = AbortSignal.timeout(5000);
      await withRetry(() => remove(client, `${path}/${name}`, late), 4, late).catch(() => undefined);
    },
  };
}

export function isExpired({ spec }: Pick<Lease, 'spec'>, now: Date): boolean {
  return now.getTime() - new Date(spec.renewTime).getTime() > spec.leaseDurationSeconds * 1000;
}

function makeLease(namespace: string, replica: string, now: Date): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: leaseName(replica), namespace, labels: { [label.managedBy]: managedBy } },
    spec: {
      holderIdentity: replica,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: microTime(now),
      renewTime: microTime(now),
    },
  };
}

/** Kubernetes' MicroTime. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

async function remove(
  client: Client,
  path: string,
  signal: AbortSignal,
  preconditions?: object,
): Promise<void> {
  try {
    await client.json(path, {
      method: 'DELETE',
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        ...(preconditions && { preconditions }),
      },
      signal,
    });
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
  }
}
