import type { V1Job } from '@kubernetes/client-node';
import { text } from 'node:stream/consumers';
import type { Config } from '../config.ts';
import { ServiceError, type ErrorCode } from '../result/errors.ts';
import { AlreadyThere, SandboxLost, SessionThere } from '../schedule/backend.ts';
import { attach, type Attachment } from './attach.ts';
import { ApiError, type Client, UnreachableError, withRetry } from './client.ts';
import { label, podPath } from './names.ts';
import type { Observer } from './observer.ts';
import { ending } from './pod-sandbox.ts';
import { deleteJob, type JobIdentity } from './reaper.ts';
import { type Started, waitForStart } from './start.ts';

/** A Job that this server has, or is about to make. */
export interface LiveJob extends JobIdentity {
  /** Another may have made one of the same name; undefined where the name is random. */
  taken: Taken | undefined;
}

/** What it means that there is a Job of a name already. */
export interface Taken {
  error(): AlreadyThere | SessionThere;
  /** Whether it is no more than a record, and makes room. */
  isOver(job: V1Job): boolean;
}

/** The Jobs of this replica, from their creation to their deletion. */
export interface Jobs {
  /** By name. */
  live: ReadonlyMap<string, LiveJob>;
  /** Makes a Job and waits until its agent can be spoken to. Throws ServiceError, what `taken` says, the signal's reason. */
  open(
    job: LiveJob,
    body: () => V1Job,
    signal: AbortSignal,
  ): Promise<Started & { attachment: Attachment; createdAt: number }>;
  /** Deletes one. Never throws. */
  remove(job: LiveJob): Promise<void>;
  /** Leaves one to its own end. */
  forget(job: LiveJob): void;
}

export function createJobs(
  client: Client,
  config: Config,
  observer: Observer,
  onFailed: (cause: string) => void,
): Jobs {
  const { namespace, replicaName } = config;
  const jobsPath = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const silence = `The API server ${client.server} has not answered in ${config.startTimeoutSeconds} s.`;
  const live = new Map<string, LiveJob>();

  function create(job: LiveJob, body: V1Job, signal: AbortSignal): Promise<void> {
    const { name, taken } = job;
    let isAnswered = true;
    const own = ({ metadata }: V1Job) => {
      job.uid = metadata?.uid;
      if (taken) observer.expect(name, metadata?.uid ?? '');
    };
    const attempt = async () => {
      try {
        own(await client.json<V1Job>(jobsPath, { method: 'POST', body, signal }));
      } catch (error) {
        if (error instanceof UnreachableError) isAnswered = false;
        if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
        // A random name is that of this very Job, made by a call whose answer was lost.
        if (!taken) return;
        const there = await lookAt(name, signal);
        if (taken.isOver(there)) throw await makeRoom(there, signal);
        if (isAnswered || there.metadata?.labels?.[label.replica] !== replicaName) throw taken.error();
        own(there);
      }
    };
    return withRetry(attempt, config.startTimeoutSeconds, signal);
  }

  async function lookAt(name: string, signal: AbortSignal): Promise<V1Job> {
    try {
      return await client.json<V1Job>(`${jobsPath}/${name}`, { signal });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      throw again(name);
    }
  }

  async function makeRoom({ metadata: { name = '', uid } = {} }: V1Job, signal: AbortSignal) {
    await deleteJob(client, namespace, { name, uid }, signal);
    return again(name);
  }

  async function remove(job: LiveJob): Promise<void> {
    const late = AbortSignal.timeout(5000);
    // What stays now is the reaper's, because it is no longer live. So is what a lost answer may have made of a shared name.
    if (!job.taken || job.uid !== undefined)
      await withRetry(() => deleteJob(client, namespace, job, late), 4, late).catch(() => undefined);
    forget(job);
  }

  function forget(job: LiveJob): void {
    if (live.get(job.name) === job) live.delete(job.name);
  }

  async function attachOrExplain(path: string, name: string, signal: AbortSignal): Promise<Attachment> {
    let broken: UnreachableError | undefined;
    const attempt = async () => {
      try {
        return await attach(client, path, signal);
      } catch (error) {
        if (error instanceof UnreachableError) broken = error;
        throw error;
      }
    };
    try {
      return await withRetry(attempt, 5, signal);
    } catch (error) {
      // Refused where the container has ended already: its status says more.
      const lost = error instanceof ApiError ? await ending(observer, name, signal) : undefined;
      // An attach that breaks may have reached the agent, which ends when nobody is there: that is no fault of its own.
      if (broken && (!lost || lost.cause === 'unknown')) throw broken;
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
    live,
    async open(job, body, callerSignal) {
      const createdAt = performance.now();
      const tooLate = AbortSignal.timeout(config.startTimeoutSeconds * 1000);
      const signal = AbortSignal.any([callerSignal, tooLate]);
      live.set(job.name, job);
      try {
        await create(job, body(), signal).catch((error: unknown) => {
          // A connection may be waited for without an error of its own: it was never answered.
          throw error === tooLate.reason ? new UnreachableError(silence, { cause: error }) : error;
        });
        const started = await waitForStart(observer, config, job.name, signal);
        const attachment = await attachOrExplain(started.podPath, job.name, signal);
        return { ...started, attachment, createdAt };
      } catch (error) {
        if (error instanceof AlreadyThere || error instanceof SessionThere) {
          forget(job);
          throw error;
        }
        const words = error instanceof SandboxLost ? await lastWords(job.name) : '';
        await remove(job);
        callerSignal.throwIfAborted();
        const failure = asServiceError(error, words, tooLate.aborted && config.startTimeoutSeconds);
        onFailed(failure.code);
        throw failure;
      }
    },
    remove,
    forget,
  };
}

/** It has made room: the Job can be made again. */
function again(name: string): ApiError {
  return new ApiError(409, 'Conflict', `The Job ${name} goes again and again as it is looked at.`);
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
