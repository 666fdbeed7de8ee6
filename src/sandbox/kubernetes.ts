import type { V1Job } from '@kubernetes/client-node';
import type { Config } from '../config.ts';
import { ServiceError } from '../result/errors.ts';
import { type Backend, type Sandbox, SandboxLost, type SandboxSpec } from '../schedule/backend.ts';
import { missingPermissions } from './access.ts';
import { attach } from './attach.ts';
import { ApiError, type Client, UnreachableError, withRetry } from './client.ts';
import { makeJob } from './job.ts';
import { startHeartbeat } from './lease.ts';
import { jobName, label, ours } from './names.ts';
import { createObserver } from './observer.ts';
import { podSandbox } from './pod-sandbox.ts';
import { deleteJob, reap } from './reaper.ts';
import { findTrace } from './record.ts';
import { waitForStart } from './start.ts';

export interface KubernetesEvents {
  /** A sandbox failed: a ServiceError's code or a SandboxLost's cause. */
  podFailed(cause: string): void;
  /** Something was taken away that no live run owned. */
  reaped(what: string): void;
}

/** Sandboxes as Jobs. Throws ServiceError if the account may not do what it must. */
export async function createKubernetesBackend(
  config: Config,
  client: Client,
  events: KubernetesEvents,
  signal: AbortSignal,
): Promise<Backend> {
  const { namespace, replicaName } = config;
  const jobsPath = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  await requirePermissions(client, namespace, signal);

  const live = new Set<string>();
  const closing = new AbortController();
  const heartbeat = await startHeartbeat(
    client,
    namespace,
    replicaName,
    (replica) => {
      events.reaped(`the Lease of replica ${replica}, and with it its Jobs`);
    },
    signal,
  );
  const observer = createObserver(client, namespace, replicaName);
  const reaping = reap(client, namespace, replicaName, live, events.reaped, closing.signal);

  async function createJob(spec: SandboxSpec, jobSignal: AbortSignal): Promise<void> {
    const body = makeJob(config, { ...spec, owner: heartbeat.owner() });
    try {
      await client.json<V1Job>(jobsPath, { method: 'POST', body, signal: jobSignal });
    } catch (error) {
      // The name is random, so it is this very Job, made by a call whose answer was lost.
      if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
    }
  }

  async function remove(name: string): Promise<void> {
    const late = AbortSignal.timeout(5000);
    // What stays now is the reaper's, because it is no longer live.
    await withRetry(() => deleteJob(client, namespace, name, late), 4, late).catch(() => undefined);
    live.delete(name);
  }

  async function open(spec: SandboxSpec, callerSignal: AbortSignal): Promise<Sandbox> {
    const name = jobName(spec.executionId);
    const began = performance.now();
    const tooLate = AbortSignal.timeout(config.startTimeoutSeconds * 1000);
    const startSignal = AbortSignal.any([callerSignal, tooLate]);
    live.add(name);
    try {
      await withRetry(() => createJob(spec, startSignal), config.startTimeoutSeconds, startSignal);
      const { podPath, placedAt } = await waitForStart(observer, config, name, startSignal);
      const attachment = await withRetry(() => attach(client, podPath, startSignal), 5, startSignal);
      return podSandbox({
        spec,
        config,
        client,
        observer,
        attachment,
        podPath,
        scheduledSeconds: (placedAt - began) / 1000,
        onLost: events.podFailed,
        remove: () => remove(name),
        forget: () => live.delete(name),
      });
    } catch (error) {
      await remove(name);
      callerSignal.throwIfAborted();
      const failure = asServiceError(error, tooLate.aborted, config.startTimeoutSeconds);
      events.podFailed(failure.code);
      throw failure;
    }
  }

  return {
    name: 'kubernetes',
    open,
    find: (executionId, findSignal) => findTrace(client, namespace, executionId, findSignal),
    async cancel(by, cancelSignal) {
      const [key, value] =
        'executionId' in by ? [label.execution, by.executionId] : [label.request, by.requestKey];
      const query = { labelSelector: `${ours},${key}=${value}` };
      const jobs = await client.json<{ items: V1Job[] }>(jobsPath, { query, signal: cancelSignal });
      const names = jobs.items.flatMap((job) => job.metadata?.name ?? []);
      await Promise.all(names.map((name) => deleteJob(client, namespace, name, cancelSignal)));
      return names.length;
    },
    ready() {
      const why = observer.stale();
      return why === undefined ? { ok: true } : { ok: false, why };
    },
    async close() {
      closing.abort();
      await Promise.all([reaping, observer.close(), ...[...live].map(remove)]);
      await heartbeat.close();
      await client.close();
    },
  };
}

async function requirePermissions(client: Client, namespace: string, signal: AbortSignal): Promise<void> {
  const missing = await missingPermissions(client, namespace, signal);
  if (missing.length === 0) return;
  const rules = missing.map(({ verb, resource, why }) => `  ${verb} ${resource} (${why})`);
  throw new ServiceError(
    'forbidden',
    `This account lacks rules in namespace ${namespace}:\n${rules.join('\n')}`,
  );
}

function asServiceError(error: unknown, isTooLate: boolean, limitSeconds: number): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof SandboxLost)
    return new ServiceError('sandbox_failed', error.message, { cause: error });
  if (isTooLate) {
    return new ServiceError('start_timeout', `The sandbox did not start within ${limitSeconds} s.`, {
      cause: error,
    });
  }
  if (error instanceof UnreachableError)
    return new ServiceError('cluster_unreachable', error.message, { cause: error });
  if (error instanceof ApiError) {
    const code = error.message.includes('exceeded quota')
      ? 'quota_exceeded'
      : error.status === 403 || error.status === 401 || error.status === 404
        ? 'forbidden'
        : 'sandbox_failed';
    return new ServiceError(code, `The API server refuses: ${error.message}`, { cause: error });
  }
  return new ServiceError('internal', 'The sandbox could not be opened.', { cause: error });
}
