import type { V1Job } from '@kubernetes/client-node';
import {
  type SessionEnd,
  sessionEnds,
  type SessionSandbox,
  type SessionTrace,
  type Sandbox,
} from '../schedule/backend.ts';
import { ServiceError } from '../result/errors.ts';
import { ApiError, type Client, UnreachableError, withRetry } from './client.ts';
import { endPatch, extendPatch } from './job.ts';
import { annotation, callerLabel, label, ours, sessionJobName } from './names.ts';
import { isFinished } from './reaper.ts';

/** Longest wait for a session's end to be written down. */
const writeSeconds = 4;

/** How long an API server that does not answer is asked again. */
const askSeconds = 5;

interface SessionJob {
  client: Client;
  /** Path of the Job on the API server. */
  path: string;
  /** performance.now(). */
  createdAt: number;
  /** Closes stdin: the agent ends. */
  hangUp(): void;
  /** Deletes the Job. */
  remove(): Promise<void>;
  /** Leaves the Job to its own end. */
  forget(): void;
}

/** The sandbox of a session, whose life is written on its Job. */
export function sessionSandbox(job: SessionJob, sandbox: Sandbox): SessionSandbox {
  const patch = (body: object, signal: AbortSignal) =>
    withRetry(() => job.client.json(job.path, { method: 'PATCH', body, signal }), writeSeconds, signal);
  const age = () => (performance.now() - job.createdAt) / 1000;
  return {
    ...sandbox,
    async extend(lifeSeconds, signal) {
      await patch(extendPatch(age(), lifeSeconds), signal);
    },
    async end(why) {
      try {
        await patch(endPatch(age(), why), AbortSignal.timeout((writeSeconds + 1) * 1000));
        job.hangUp();
        job.forget();
      } catch {
        // A session that nobody can be told the end of is one that never was.
        job.hangUp();
        await job.remove();
      }
    },
  };
}

/** What the Job of a session says of it. */
export async function findSession(
  client: Client,
  jobsPath: string,
  key: string,
  signal: AbortSignal,
): Promise<SessionTrace | undefined> {
  try {
    const job = await asked<V1Job>(client, `${jobsPath}/${sessionJobName(key)}`, {}, signal);
    return {
      replica: job.metadata?.labels?.[label.replica] ?? '',
      url: job.metadata?.annotations?.[annotation.url] ?? '',
      ended: sessionEnd(job),
    };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

export async function sessionsOf(
  client: Client,
  jobsPath: string,
  caller: string,
  signal: AbortSignal,
): Promise<string[]> {
  const query = { labelSelector: `${ours},${label.session},${label.caller}=${callerLabel(caller)}` };
  const { items } = await asked<{ items: V1Job[] }>(client, jobsPath, query, signal);
  return items
    .filter((job) => sessionEnd(job) === undefined)
    .flatMap(({ metadata }) => metadata?.labels?.[label.session] ?? []);
}

export async function sessionOwners(
  client: Client,
  jobsPath: string,
  signal: AbortSignal,
): Promise<string[]> {
  const query = { labelSelector: `${ours},${label.session}` };
  const { items } = await asked<{ items: V1Job[] }>(client, jobsPath, query, signal);
  const urls = items
    .filter((job) => sessionEnd(job) === undefined)
    .map(({ metadata }) => metadata?.annotations?.[annotation.url] ?? '');
  return [...new Set(urls)].filter((url) => url !== '');
}

/** Throws ServiceError where nobody answers. */
async function asked<T>(
  client: Client,
  path: string,
  query: Record<string, string>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await withRetry(() => client.json<T>(path, { query, signal }), askSeconds, signal);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw new ServiceError('cluster_unreachable', error.message, { cause: error });
  }
}

/** Why a session has ended; undefined while it lives. Pure. */
export function sessionEnd(job: V1Job): SessionEnd | undefined {
  const said = sessionEnds.find((why) => why === job.metadata?.annotations?.[annotation.ended]);
  return said ?? (isFinished(job) ? 'sandbox_lost' : undefined);
}
