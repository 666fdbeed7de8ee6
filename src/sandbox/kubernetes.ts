import type { V1Job } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { newExecutionId } from '../request/execution-id.ts';
import { ServiceError } from '../result/errors.ts';
import {
  AlreadyThere,
  type Backend,
  type Sandbox,
  type SandboxSpec,
  type SessionSandbox,
  type SessionSpec,
  SessionThere,
} from '../schedule/backend.ts';
import { missingPermissions } from './access.ts';
import { shortRunMs } from './claim-record.ts';
import type { Client } from './client.ts';
import { configMapRecords } from './environment-records.ts';
import { makeJob, makeSessionJob } from './job.ts';
import { createJobs, type LiveJob, type Taken } from './jobs.ts';
import { startHeartbeat } from './lease.ts';
import { jobName, label, ours, runSelector, sessionJobName } from './names.ts';
import { createObserver } from './observer.ts';
import { permissionsFor } from './permissions.ts';
import { podSandbox } from './pod-sandbox.ts';
import { deleteJob, reap } from './reaper.ts';
import { findTrace } from './record.ts';
import { findSession, sessionEnd, sessionOwners, sessionSandbox, sessionsOf } from './session-jobs.ts';

export interface KubernetesEvents {
  /** A sandbox failed: a ServiceError's code or a SandboxLost's cause. */
  podFailed(cause: string): void;
  /** The Job of a run in a waiting sandbox could not be labelled as the run's: other replicas do not find it. */
  unrecorded(executionId: string, error: unknown): void;
  /** Something was taken away that no live run owned. */
  reaped(what: string): void;
}

const takenBuild: Taken = {
  error: () => new AlreadyThere('This build goes on, or has just ended.'),
  isOver: () => false,
};

const takenSession: Taken = {
  error: () => new SessionThere('There is a session of this key.'),
  isOver: (job) => sessionEnd(job) !== undefined,
};

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
  const jobs = createJobs(client, config, observer, events.podFailed);
  const reaping = reap(client, namespace, replicaName, jobs.live, events.reaped, closing.signal);

  /** Starts the sandbox of a Job; `recorded` says whether that names its run already. */
  async function start(
    job: LiveJob,
    body: () => V1Job,
    { isRecorded, build }: { isRecorded: boolean; build: boolean },
    startSignal: AbortSignal,
  ) {
    const opened = await jobs.open(job, body, startSignal);
    const path = `${jobsPath}/${job.name}`;
    const remove = () => jobs.remove(job);
    const forget = () => {
      jobs.forget(job);
    };
    const sandbox = podSandbox({
      ...opened,
      job: job.name,
      path,
      isRecorded,
      // What a builder writes goes to the volume.
      config: build ? { ...config, workspaceMb: config.environmentMb } : config,
      client,
      observer,
      onLost: events.podFailed,
      onUnrecorded: events.unrecorded,
      remove,
      forget,
    });
    return { ...opened, sandbox, path, remove, forget };
  }

  async function open(spec: SandboxSpec, openSignal: AbortSignal): Promise<Sandbox> {
    const { claim, build } = spec;
    const id = claim?.executionId ?? newExecutionId();
    const job = { name: jobName(id), taken: build ? takenBuild : undefined };
    const body = () => makeJob(config, { ...spec, id, owner: heartbeat.owner() });
    const { sandbox } = await start(job, body, { isRecorded: claim !== undefined, build }, openSignal);
    return sandbox;
  }

  async function openSession(spec: SessionSpec, openSignal: AbortSignal): Promise<SessionSandbox> {
    const job = { name: sessionJobName(spec.key), taken: takenSession };
    const body = () => makeSessionJob(config, spec, heartbeat.owner());
    const { attachment, sandbox, ...opened } = await start(
      job,
      body,
      { isRecorded: true, build: false },
      openSignal,
    );
    const hangUp = () => {
      attachment.close();
    };
    return sessionSandbox({ ...opened, client, hangUp }, sandbox);
  }

  async function deleteJobs(selector: string, deleteSignal: AbortSignal): Promise<number> {
    const query = { labelSelector: `${ours},${selector}` };
    const listed = await client.json<{ items: V1Job[] }>(jobsPath, { query, signal: deleteSignal });
    const found = listed.items.flatMap(({ metadata: { name, uid } = {} }) =>
      name === undefined ? [] : [{ name, uid }],
    );
    await Promise.all(found.map((job) => deleteJob(client, namespace, job, deleteSignal)));
    return found.length;
  }

  return {
    name: 'kubernetes',
    open,
    openSession,
    findSession: (key, _caller, findSignal) => findSession(client, jobsPath, key, findSignal),
    sessionsOf: (caller, listSignal) => sessionsOf(client, jobsPath, caller, listSignal),
    sessionOwners: (listSignal) => sessionOwners(client, jobsPath, listSignal),
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
      await Promise.all([reaping, observer.close(), ...[...jobs.live.values()].map(jobs.remove)]);
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
