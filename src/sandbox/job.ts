import type { V1Job, V1OwnerReference, V1PodSpec } from '@kubernetes/client-node';
import type { Config } from '../config.ts';
import { createHash } from 'node:crypto';
import type { Limits } from '../schedule/backend.ts';
import { annotation, containerName, jobName, label, managedBy, sandboxName } from './names.ts';

/** Numeric user of the sandbox image. */
const imageUser = 65_532;

/** Time that a sandbox may take beyond its limit: to start, and to end. Its agent is the first to stop a run. */
const slackSeconds = 30;

export interface JobRequest {
  executionId: string;
  /** Correlates a later cancellation with this run; a label value. */
  requestKey: string | undefined;
  limits: Limits;
  /** The replica's Lease: the Job goes when it goes. */
  owner: V1OwnerReference;
}

/** The Job of one sandbox. Pure: equal arguments give equal Jobs. */
export function makeJob(config: Config, request: JobRequest): V1Job {
  const labels = {
    [label.name]: sandboxName,
    [label.managedBy]: managedBy,
    [label.execution]: request.executionId,
    [label.replica]: config.replicaName,
    ...(request.requestKey !== undefined && { [label.request]: request.requestKey }),
  };
  const deadline = Math.ceil(config.startTimeoutSeconds + request.limits.seconds + slackSeconds);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(request.executionId),
      namespace: config.namespace,
      labels,
      annotations: { [annotation.limits]: JSON.stringify(request.limits) },
      ownerReferences: [request.owner],
    },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      // The pod's own deadline comes first: it leaves a pod that says why it ended, this one deletes it.
      activeDeadlineSeconds: deadline + 15,
      ttlSecondsAfterFinished: config.retentionSeconds,
      template: { metadata: { labels }, spec: makePodSpec(config, request, deadline) },
    },
  };
}

/**
 * Without user namespaces a node counts processes by user: runs that share one would share one process limit. The image
 * runs as any user.
 */
function ownUser(executionId: string): number {
  return 1_000_000 + createHash('sha256').update(executionId).digest().readUIntBE(0, 3);
}

function makePodSpec(config: Config, { executionId, limits }: JobRequest, deadline: number): V1PodSpec {
  const user = config.userNamespaces ? imageUser : ownUser(executionId);
  const resources = { cpu: String(limits.cpu), memory: `${limits.memory_mb}Mi`, 'ephemeral-storage': '64Mi' };
  // Libraries size their thread pools by the node's processors, not by the container's share of them.
  const threads = String(Math.max(1, Math.ceil(limits.cpu)));
  return {
    activeDeadlineSeconds: deadline,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostUsers: !config.userNamespaces,
    // No resolver: there is no network to resolve for, and names must not leave through the cluster's DNS.
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['127.0.0.1'] },
    ...(config.runtimeClass && { runtimeClassName: config.runtimeClass }),
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
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: containerName,
        image: config.image,
        imagePullPolicy: config.imagePullPolicy,
        stdin: true,
        stdinOnce: true,
        workingDir: '/workspace',
        env: [
          { name: 'PYTHON_CPU_COUNT', value: threads },
          { name: 'OMP_NUM_THREADS', value: threads },
          { name: 'OPENBLAS_NUM_THREADS', value: threads },
        ],
        resources: { requests: resources, limits: resources },
        securityContext: {
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'scratch', mountPath: '/workspace', subPath: 'workspace' },
          { name: 'scratch', mountPath: '/tmp', subPath: 'tmp' },
        ],
      },
    ],
    // One volume for both: each one adds to a cold start.
    volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: `${config.workspaceMb}Mi` } }],
  };
}
