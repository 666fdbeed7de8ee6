import type { V1ConfigMap } from '@kubernetes/client-node';
import type { EnvironmentRecord, EnvironmentRecords } from '../schedule/backend.ts';
import { ServiceError } from '../result/errors.ts';
import { ApiError, type Client, UnreachableError, withRetry } from './client.ts';
import { environmentRecords } from './names.ts';

const patienceSeconds = 5;

/** Which environments there are, in a ConfigMap beside the volume that holds them: an entry each, by key. */
export function configMapRecords(client: Client, namespace: string): EnvironmentRecords {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${environmentRecords}`;

  async function patch(
    data: Record<string, string | null>,
    signal: AbortSignal,
    version?: string,
  ): Promise<void> {
    const body = { ...(version !== undefined && { metadata: { resourceVersion: version } }), data };
    await client.json(path, { method: 'PATCH', body, signal });
  }

  function call<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return withRetry(send, patienceSeconds, signal).catch((error: unknown) => {
      throw explain(error);
    });
  }

  function explain(error: unknown): unknown {
    if (!(error instanceof ApiError || error instanceof UnreachableError)) return error;
    const code = error instanceof ApiError ? 'environments_unavailable' : 'cluster_unreachable';
    const hint = isStatus(error, 404) ? ' The chart makes it where environments are set up.' : '';
    const message = `The ConfigMap ${environmentRecords} in ${namespace}: ${error.message}.${hint}`;
    return new ServiceError(code, message, { cause: error });
  }

  return {
    async all(signal) {
      const { metadata, data } = await call(() => client.json<V1ConfigMap>(path, { signal }), signal);
      return { records: parseRecords(data ?? {}), version: metadata?.resourceVersion ?? '' };
    },
    async put(key, record, signal) {
      await call(() => patch({ [key]: JSON.stringify(record) }, signal), signal);
    },
    async forget(keys, version, signal) {
      const data = Object.fromEntries(keys.map((key) => [key, null]));
      try {
        await patch(data, signal, version);
        return true;
      } catch (error) {
        if (isStatus(error, 409)) return false;
        throw explain(error);
      }
    },
  };
}

/** The records that the entries hold. One that somebody spoilt by hand is none. Pure. */
export function parseRecords(data: Record<string, string>): Map<string, EnvironmentRecord> {
  const records = new Map<string, EnvironmentRecord>();
  for (const [key, text] of Object.entries(data)) {
    try {
      const record = JSON.parse(text) as EnvironmentRecord;
      if (!Number.isNaN(Date.parse(record.used)) && Array.isArray(record.shadows)) records.set(key, record);
    } catch {
      // A build of it puts it right.
    }
  }
  return records;
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}
