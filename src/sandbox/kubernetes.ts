import type { V1Job } from '@kubernetes/client-node';
import type { Config } from '../config.ts';
import { ServiceError } from '../result/errors.ts';
import {
  type Backend,
  type Program,
  type Sandbox,
  SandboxLost,
  type SandboxSpec,
} from '../schedule/backend.ts';
import { missingPermissions } from './access.ts';
import { attach, type Attachment } from './attach.ts';
import { ApiError, type Client, UnreachableError, withRetry } from './client.ts';
import { agentLimits, readFrames, requestLine, type Source } from './conversation.ts';
import { makeJob } from './job.ts';
import { startHeartbeat } from './lease.ts';
import { jobName, label, ours } from './names.ts';
import { createObserver } from './observer.ts';
import { deleteJob, reap } from './reaper.ts';
import { findTrace, readLog } from './record.ts';
import { waitForStart } from './start.ts';

/** Time beyond its limit after which a run is given up although its agent is silent. */
const guardSeconds = 15;

/** How long a pod's status may lag behind the end of its container. */
const statusLagSeconds = 3;

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
      return makeSandbox(spec, name, podPath, attachment, (placedAt - began) / 1000);
    } catch (error) {
      await remove(name);
      callerSignal.throwIfAborted();
      const failure = asServiceError(error, tooLate.aborted, config.startTimeoutSeconds);
      events.podFailed(failure.code);
      throw failure;
    }
  }

  function makeSandbox(
    spec: SandboxSpec,
    name: string,
    podPath: string,
    attachment: Attachment,
    scheduledSeconds: number,
  ): Sandbox {
    let exited = false;

    async function* run(program: Program, callerSignal: AbortSignal) {
      const tooLate = AbortSignal.timeout((spec.limits.seconds + guardSeconds) * 1000);
      const runSignal = AbortSignal.any([callerSignal, tooLate]);
      const line = requestLine(spec.executionId, program, agentLimits(spec.limits, config, null));
      try {
        const outcome = yield* readFrames(sources(line, runSignal));
        exited = outcome.exited;
        if (!exited) throw await whyEnded(outcome.stray, runSignal);
      } catch (error) {
        callerSignal.throwIfAborted();
        const lost = tooLate.aborted
          ? new SandboxLost('timed_out', 'The sandbox did not end by itself at its limit, and was deleted.')
          : error;
        if (lost instanceof SandboxLost) events.podFailed(lost.cause);
        throw lost;
      }
    }

    /** The attach first; then, as long as no `exit` has come, the log from its start. */
    function sources(line: Buffer, runSignal: AbortSignal): () => Promise<Source | undefined> {
      let asked = 0;
      let last = false;
      return async () => {
        asked += 1;
        if (asked === 1) {
          void attachment.send(line);
          return { bytes: attachment.stdout(runSignal), fromStart: false };
        }
        if (last) return undefined;
        // A log that is read after the end is known holds all there will ever be.
        if (asked > 2) last = (await ending(runSignal)) !== undefined;
        return { bytes: log(!last, runSignal), fromStart: true };
      };
    }

    async function* log(follow: boolean, runSignal: AbortSignal): AsyncGenerator<Buffer, void> {
      try {
        yield* readLog(client, podPath, follow, runSignal);
      } catch (error) {
        // A stream that breaks is read again from its start; a pod that is gone has no more to say.
        const isGone = error instanceof ApiError && error.status < 500;
        if (!isGone && !(error instanceof UnreachableError) && !isBroken(error)) throw error;
      }
    }

    function ending(runSignal: AbortSignal): Promise<SandboxLost | undefined> {
      const lag = AbortSignal.any([runSignal, AbortSignal.timeout(statusLagSeconds * 1000)]);
      return observer
        .when(
          name,
          ({ phase }) => (phase.state === 'ended' ? new SandboxLost(phase.cause, phase.message) : undefined),
          lag,
        )
        .catch(() => {
          runSignal.throwIfAborted();
          return undefined;
        });
    }

    async function whyEnded(stray: string | undefined, runSignal: AbortSignal): Promise<SandboxLost> {
      const lost =
        (await ending(runSignal)) ?? new SandboxLost('unknown', 'The sandbox ended and did not say why.');
      if (lost.cause !== 'unknown' || stray === undefined) return lost;
      return new SandboxLost('unknown', `${lost.message} Its last words: ${stray}`);
    }

    return {
      scheduledSeconds,
      run,
      async dispose() {
        attachment.close();
        // After `exit` the agent ends, the Job completes, and its TTL takes it away.
        if (exited) live.delete(name);
        else await remove(name);
      },
    };
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

function isBroken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('UND_ERR') || ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code);
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
    const code = /exceeded quota/.test(error.message)
      ? 'quota_exceeded'
      : error.status === 403 || error.status === 401 || error.status === 404
        ? 'forbidden'
        : 'sandbox_failed';
    return new ServiceError(code, `The API server refuses: ${error.message}`, { cause: error });
  }
  return new ServiceError('internal', 'The sandbox could not be opened.', { cause: error });
}
