import type { V1Job } from '@kubernetes/client-node';
import type { Config } from '../config.ts';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { newExecutionId } from '../request/execution-id.ts';
import { ServiceError, type ErrorCode } from '../result/errors.ts';
import {
  AlreadyThere,
  type Backend,
  type Sandbox,
  SandboxLost,
  type SandboxSpec,
} from '../schedule/backend.ts';
import { missingPermissions } from './access.ts';
import { permissionsFor } from './permissions.ts';
import { attach, type Attachment } from './attach.ts';
import { shortRunMs } from './claim-record.ts';
import { ApiError, type Client, UnreachableError, withRetry } from './client.ts';
import { configMapRecords } from './environment-records.ts';
import { makeJob } from './job.ts';
import { startHeartbeat } from './lease.ts';
import { jobName, label, ours, podPath, runSelector } from './names.ts';
import { createObserver } from './observer.ts';
import { ending, podSandbox } from './pod-sandbox.ts';
import { deleteJob, type JobIdentity, reap } from './reaper.ts';
import { findTrace } from './record.ts';
import { waitForStart } from './start.ts';

/** A Job that this server has, or is about to make. */
interface LiveJob extends JobIdentity {
  /** Another replica may have made one of the same name. */
  isShared: boolean;
}

export interface KubernetesEvents {
  /** A sandbox failed: a ServiceError's code or a SandboxLost's cause. */
  podFailed(cause: string): void;
  /** The Job of a run in a waiting sandbox could not be labelled as the run's: other replicas do not find it. */
  unrecorded(executionId: string, error: unknown): void;
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
  await requirePermissions(client, config, signal);

  const silence = `The API server ${client.server} has not answered in ${config.startTimeoutSeconds} s.`;
  const live = new Map<string, LiveJob>();
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

  function createJob(job: LiveJob, id: string, spec: SandboxSpec, jobSignal: AbortSignal): Promise<void> {
    const body = makeJob(config, { ...spec, id, owner: heartbeat.owner() });
    const { name } = job;
    let isAnswered = true;
    const create = async () => {
      try {
        const made = await client.json<V1Job>(jobsPath, { method: 'POST', body, signal: jobSignal });
        own(made);
      } catch (error) {
        if (error instanceof UnreachableError) isAnswered = false;
        if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
        // A random name is that of this very Job, made by a call whose answer was lost.
        if (!spec.build) return;
        const there = await lookAt(name, jobSignal);
        if (isAnswered || there.metadata?.labels?.[label.replica] !== replicaName) {
          throw new AlreadyThere(`The build ${name} goes on, or has just ended.`);
        }
        own(there);
      }
    };
    const own = ({ metadata }: V1Job) => {
      job.uid = metadata?.uid;
      if (spec.build) observer.expect(name, metadata?.uid ?? '');
    };
    return withRetry(create, config.startTimeoutSeconds, jobSignal);
  }

  async function lookAt(name: string, lookSignal: AbortSignal): Promise<V1Job> {
    try {
      return await client.json<V1Job>(`${jobsPath}/${name}`, { signal: lookSignal });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      // It has made room: the Job can be made again.
      throw new ApiError(409, 'Conflict', `The Job ${name} goes again and again as it is looked at.`);
    }
  }

  async function remove(job: LiveJob): Promise<void> {
    const late = AbortSignal.timeout(5000);
    // What stays now is the reaper's, because it is no longer live. So is what a lost answer may have made of a shared name.
    if (!job.isShared || job.uid !== undefined)
      await withRetry(() => deleteJob(client, namespace, job, late), 4, late).catch(() => undefined);
    forget(job);
  }

  function forget(job: LiveJob): void {
    if (live.get(job.name) === job) live.delete(job.name);
  }

  async function open(spec: SandboxSpec, callerSignal: AbortSignal): Promise<Sandbox> {
    const id = spec.claim?.executionId ?? newExecutionId();
    const name = jobName(id);
    const began = performance.now();
    const tooLate = AbortSignal.timeout(config.startTimeoutSeconds * 1000);
    const startSignal = AbortSignal.any([callerSignal, tooLate]);
    const job: LiveJob = { name, isShared: spec.build };
    live.set(name, job);
    try {
      await createJob(job, id, spec, startSignal).catch((error: unknown) => {
        // A connection may be waited for without an error of its own: it was never answered.
        throw error === tooLate.reason ? new UnreachableError(silence, { cause: error }) : error;
      });
      const started = await waitForStart(observer, config, name, startSignal);
      const attachment = await attachOrExplain(started.podPath, name, startSignal);
      return podSandbox({
        job: name,
        path: `${jobsPath}/${name}`,
        createdAt: began,
        placedAt: started.placedAt,
        isRecorded: spec.claim !== undefined,
        // What a builder writes goes to the volume.
        config: spec.build ? { ...config, workspaceMb: config.environmentMb } : config,
        client,
        observer,
        attachment,
        podPath: started.podPath,
        onLost: events.podFailed,
        onUnrecorded: events.unrecorded,
        remove: () => remove(job),
        forget: () => {
          forget(job);
        },
      });
    } catch (error) {
      if (error instanceof AlreadyThere) {
        forget(job);
        throw error;
      }
      const words = error instanceof SandboxLost ? await lastWords(name) : '';
      await remove(job);
      callerSignal.throwIfAborted();
      const failure = asServiceError(error, words, tooLate.aborted && config.startTimeoutSeconds);
      events.podFailed(failure.code);
      throw failure;
    }
  }

  async function deleteJobs(selector: string, deleteSignal: AbortSignal): Promise<number> {
    const query = { labelSelector: `${ours},${selector}` };
    const jobs = await client.json<{ items: V1Job[] }>(jobsPath, { query, signal: deleteSignal });
    const found = jobs.items.flatMap(({ metadata: { name, uid } = {} }) =>
      name === undefined ? [] : [{ name, uid }],
    );
    await Promise.all(found.map((job) => deleteJob(client, namespace, job, deleteSignal)));
    return found.length;
  }

  async function attachOrExplain(path: string, name: string, startSignal: AbortSignal): Promise<Attachment> {
    try {
      return await withRetry(() => attach(client, path, startSignal), 5, startSignal);
    } catch (error) {
      // Refused where the container has ended already: its status says more.
      const lost = error instanceof ApiError ? await ending(observer, name, startSignal) : undefined;
      throw lost ?? error;
    }
  }

  /** What a container that ended at once wrote at the end of its log. */
  async function lastWords(name: string): Promise<string> {
    const soon = AbortSignal.timeout(3000);
    const query = { tailLines: '3', limitBytes: '1000' };
    try {
      const pod = await observer.when(name, (sighting) => sighting.pod, soon);
      const log = await client.stream(`${podPath(namespace, pod)}/log`, { query, signal: soon });
      return ` Its last words: ${(await text(log)).trim()}`;
    } catch {
      return '';
    }
  }

  return {
    name: 'kubernetes',
    open,
    environments: config.environmentsClaim === '' ? undefined : configMapRecords(client, namespace),
    find: (executionId, caller, findSignal) => findTrace(client, config, { executionId, caller }, findSignal),
    async cancel(by, cancelSignal) {
      const selector = 'executionId' in by ? runSelector(by) : `${label.request}=${by.requestKey}`;
      const found = await deleteJobs(selector, cancelSignal);
      if (found > 0 || 'executionId' in by) return found;
      // Its run may have begun so short a time ago that its Job does not say so yet; nobody asks a second time.
      await sleep(2 * shortRunMs, undefined, { signal: cancelSignal });
      return deleteJobs(selector, cancelSignal);
    },
    ready() {
      const why = observer.stale();
      return why === undefined ? { ok: true } : { ok: false, why };
    },
    async close() {
      closing.abort();
      await Promise.all([reaping, observer.close(), ...[...live.values()].map(remove)]);
      await heartbeat.close();
      await client.close();
    },
  };
}

async function requirePermissions(client: Client, config: Config, signal: AbortSignal): Promise<void> {
  const { namespace } = config;
  const missing = await missingPermissions(client, permissionsFor(config), namespace, signal);
  if (missing.length === 0) return;
  const rules = missing.map(
    ({ verb, resource, name, why }) =>
      `  ${verb} ${resource}${name === undefined ? '' : ` ${name}`} (${why})`,
  );
  throw new ServiceError(
    'forbidden',
    `This account lacks rules in namespace ${namespace}:\n${rules.join('\n')}`,
  );
}

/** `words` are the sandbox's last; `lateAfter` is the limit for its start, where that has passed. */
function asServiceError(error: unknown, words: string, lateAfter: number | false): ServiceError {
  if (error instanceof ServiceError) return error;
  const cause = { cause: error };
  if (error instanceof SandboxLost) {
    const code = error.cause === 'cancelled' ? 'cancelled' : 'sandbox_failed';
    return new ServiceError(code, `${error.message}${words}`, cause);
  }
  if (error instanceof UnreachableError) return new ServiceError('cluster_unreachable', error.message, cause);
  if (lateAfter !== false) {
    return new ServiceError('start_timeout', `The sandbox did not start within ${lateAfter} s.`, cause);
  }
  if (error instanceof ApiError) {
    return new ServiceError(refusal(error), `The API server refuses: ${error.message}`, cause);
  }
  return new ServiceError('internal', 'The sandbox could not be opened.', cause);
}

function refusal(error: ApiError): ErrorCode {
  if (error.message.includes('exceeded quota')) return 'quota_exceeded';
  return [401, 403, 404, 422].includes(error.status) ? 'forbidden' : 'sandbox_failed';
}
