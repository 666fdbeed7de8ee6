import type {
  V1Job,
  V1OwnerReference,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Volume,
  V1VolumeMount,
} from '@kubernetes/client-node';
import type { Config } from '../config.ts';
import { createHash } from 'node:crypto';
import type { Claim, SandboxSpec, SessionEnd, SessionSpec } from '../schedule/backend.ts';
import { collectSeconds } from './conversation.ts';
import {
  annotation,
  callerLabel,
  containerName,
  jobName,
  label,
  managedBy,
  sandboxName,
  sessionJobName,
} from './names.ts';

/** Numeric user of the sandbox image. */
const imageUser = 65_532;

/** Time that a sandbox may take beyond its limit: to start, to end, to hand out its files. Its agent is the first to stop a run. */
const slackSeconds = 30 + collectSeconds;

/** The pod's own deadline comes first: it leaves a pod that says why it ended, the Job's deletes it. */
const jobSlackSeconds = 15;

export interface JobRequest extends SandboxSpec {
  /** Names the Job; the run's id where that is known. */
  id: string;
  /** The replica's Lease: the Job goes when it goes. */
  owner: V1OwnerReference;
}

/** The Job of one sandbox. Pure: equal arguments give equal Jobs. */
export function makeJob(config: Config, request: JobRequest): V1Job {
  const { id, pool, claim, lifeSeconds, owner } = request;
  const labels = {
    ...labelsOf(config, request),
    ...(pool !== undefined && { [label.pool]: pool }),
    ...(claim && claimLabels(claim)),
  };
  const deadline = config.startTimeoutSeconds + lifeSeconds + slackSeconds;
  const annotations = claim && claimAnnotations(claim);
  return jobAround(
    config,
    { name: jobName(id), labels, annotations, owner, deadline },
    {
      metadata: { labels },
      spec: makePodSpec(config, request, Math.ceil(deadline), storageMb(config)),
    },
  );
}

/**
 * The Job of a session: its pod may live as long as the session at most, and it until it is extended. Nobody but its caller
 * knows what its key is made of. Pure.
 */
export function makeSessionJob(config: Config, session: SessionSpec, owner: V1OwnerReference): V1Job {
  const { key: id, caller, kind, maxAgeSeconds, lifeSeconds } = session;
  const common = { id, kind, build: false };
  const labels = labelsOf(config, common);
  const own = { [label.session]: id, [label.caller]: callerLabel(caller) };
  const head = {
    name: sessionJobName(id),
    labels: { ...labels, ...own },
    annotations: { [annotation.url]: config.advertiseUrl },
    owner,
    deadline: config.startTimeoutSeconds + lifeSeconds + slackSeconds,
  };
  const deadline = Math.ceil(config.startTimeoutSeconds + maxAgeSeconds + slackSeconds);
  const spec = makePodSpec(config, common, deadline, sessionStorageMb(config));
  return jobAround(config, head, { metadata: { labels }, spec });
}

function labelsOf({ replicaName }: Config, { build }: Pick<SandboxSpec, 'build'>): Record<string, string> {
  return {
    [label.name]: sandboxName,
    [label.managedBy]: managedBy,
    [label.replica]: replicaName,
    [label.role]: build ? 'builder' : 'sandbox',
  };
}

interface Head {
  name: string;
  labels: Record<string, string>;
  annotations: Record<string, string> | undefined;
  owner: V1OwnerReference;
  /** Seconds that its pod may live at first. */
  deadline: number;
}

function jobAround(config: Config, head: Head, template: V1PodTemplateSpec): V1Job {
  const { name, labels, annotations, owner, deadline } = head;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: config.namespace,
      labels,
      ...(annotations && { annotations }),
      ownerReferences: [owner],
    },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: Math.ceil(deadline) + jobSlackSeconds,
      ttlSecondsAfterFinished: config.retentionSeconds,
      template,
    },
  };
}

/** Lets the Job of a session, of this age, live on. A JSON merge patch. Pure. */
export function extendPatch(age: number, lifeSeconds: number): object {
  return { spec: { activeDeadlineSeconds: Math.ceil(age + lifeSeconds + slackSeconds + jobSlackSeconds) } };
}

/** Time for an agent to end whose stdin has ended. */
const endSeconds = 5;

/**
 * Writes on the Job of a session why that has ended. From here on the Job is a record, which outlives its replica. A JSON
 * merge patch. Pure.
 */
export function endPatch(age: number, why: SessionEnd): object {
  return {
    metadata: { annotations: { [annotation.ended]: why }, ownerReferences: null },
    spec: { activeDeadlineSeconds: Math.ceil(age + endSeconds) },
  };
}

/**
 * Writes a run on the Job of a sandbox that waited for one; `age` is the Job's, and `fetchSeconds` what its files may take. A
 * JSON merge patch. Pure.
 */
export function claimPatch(claim: Claim, age: number, fetchSeconds: number): object {
  const lifeSeconds = fetchSeconds + claim.limits.seconds;
  return {
    metadata: { labels: claimLabels(claim), annotations: claimAnnotations(claim) },
    spec: { activeDeadlineSeconds: Math.ceil(age + lifeSeconds + slackSeconds + jobSlackSeconds) },
  };
}

function claimLabels({ executionId, caller, requestKey }: Claim): Record<string, string> {
  return {
    [label.execution]: executionId,
    ...(caller !== '' && { [label.caller]: callerLabel(caller) }),
    ...(requestKey !== undefined && { [label.request]: requestKey }),
  };
}

function claimAnnotations({ limits }: Claim): Record<string, string> {
  return { [annotation.limits]: JSON.stringify(limits) };
}

/**
 * Without user namespaces a node counts processes by user: runs that share one would share one process limit. The image
 * runs as any user.
 */
function ownUser(id: string): number {
  return 1_000_000 + createHash('sha256').update(id).digest().readUIntBE(0, 3);
}

/** What a run without artifacts writes to its log at most, and more. */
const logMb = 64;

/** A sandbox has no storage but its log, and artifacts leave through that, as base64. */
function storageMb({ artifactBytes }: Config): number {
  return logMb + Math.ceil((artifactBytes * 1.4) / 1_048_576);
}

/** Files that the kubelet keeps of a container's log (containerLogMaxFiles), and seconds between two of its looks at their sizes. */
const logFiles = 5;
const logLookSeconds = 10;

/** More than an agent writes, which also encodes what it reads. */
const logMbPerSecond = 64;

/**
 * The log of a session grows with all of its runs and reads, and counts with its rotated files. Each has as much as a file
 * may have when the kubelet looks, which an operator raises to the log of a run at most, and as much as comes until the next look.
 */
function sessionStorageMb(config: Config): number {
  return logFiles * (storageMb(config) + logLookSeconds * logMbPerSecond);
}

function makePodSpec(
  config: Config,
  { id, kind, build }: Pick<JobRequest, 'id' | 'kind' | 'build'>,
  deadline: number,
  ephemeralMb: number,
): V1PodSpec {
  // Whoever reads what a builder has written, no sandbox may change it: where users differ, its is nobody else's.
  const user = config.userNamespaces || build ? imageUser : ownUser(id);
  const memory = `${kind.memory_mb}Mi`;
  const limits = { cpu: String(kind.cpu), memory, 'ephemeral-storage': `${ephemeralMb}Mi` };
  const cpu = `${Math.ceil(kind.cpu * config.cpuReserved * 1000)}m`;
  const requests = { cpu, memory, 'ephemeral-storage': `${logMb}Mi` };
  // Libraries size their thread pools by the node's processors, not by the container's share of them.
  const threads = String(Math.max(1, Math.ceil(kind.cpu)));
  const packages = packageVolumes(config, build);
  return {
    activeDeadlineSeconds: deadline,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostUsers: !config.userNamespaces,
    // No resolver: there is no network to resolve for, and names must not leave through the cluster's DNS.
    ...(build
      ? { dnsPolicy: 'ClusterFirst' }
      : { dnsPolicy: 'None', dnsConfig: { nameservers: ['127.0.0.1'] } }),
    ...(kind.runtimeClass && { runtimeClassName: kind.runtimeClass }),
    ...(config.imagePullSecrets.length > 0 && {
      imagePullSecrets: config.imagePullSecrets.map((name) => ({ name })),
    }),
    ...(Object.keys(config.nodeSelector).length > 0 && { nodeSelector: config.nodeSelector }),
    ...(config.tolerations.length > 0 && { tolerations: config.tolerations }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      // Or the kubelet goes through the whole volume of environments before each build.
      ...(build && { fsGroupChangePolicy: 'OnRootMismatch' }),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: containerName,
        image: kind.image,
        imagePullPolicy: config.imagePullPolicy,
        stdin: true,
        stdinOnce: true,
        workingDir: '/workspace',
        env: [
          { name: 'PYTHON_CPU_COUNT', value: threads },
          { name: 'OMP_NUM_THREADS', value: threads },
          { name: 'OPENBLAS_NUM_THREADS', value: threads },
        ],
        resources: { requests, limits },
        securityContext: {
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'scratch', mountPath: '/workspace', subPath: 'workspace' },
          { name: 'scratch', mountPath: '/tmp', subPath: 'tmp' },
          ...packages.map(({ mount }) => mount),
        ],
      },
    ],
    // One volume for both: each one adds to a cold start.
    volumes: [
      { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: `${config.workspaceMb}Mi` } },
      ...packages.map(({ volume }) => volume),
    ],
  };
}

/** The volume of environments, and what only builds have besides: the credentials of the package index. */
function packageVolumes(
  { environmentsClaim: claimName, packageIndexCredentials: secretName }: Config,
  build: boolean,
): { volume: V1Volume; mount: V1VolumeMount }[] {
  if (claimName === '') return [];
  const readOnly = !build;
  const environments = {
    // Read-only as a volume too: else the kubelet sees to its ownership before each run.
    volume: { name: 'environments', persistentVolumeClaim: { claimName, readOnly } },
    mount: { name: 'environments', mountPath: '/environments', readOnly },
  };
  if (!build || secretName === '') return [environments];
  const index = {
    volume: { name: 'index', secret: { secretName } },
    mount: { name: 'index', mountPath: '/index', readOnly: true },
  };
  return [environments, index];
}
