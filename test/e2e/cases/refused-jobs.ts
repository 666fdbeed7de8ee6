/** What a stolen token of the server might try: each change of a Job, and what the cluster says to it. */
import type { V1Container, V1Job, V1PodSpec } from '@kubernetes/client-node';
import assert from 'node:assert/strict';

export function podOf(job: V1Job): V1PodSpec {
  assert.ok(job.spec?.template.spec);
  return job.spec.template.spec;
}

export function containerOf(job: V1Job): V1Container {
  const [container] = podOf(job).containers;
  assert.ok(container);
  return container;
}

/** Turns the Job of a run into one that the admission policy must refuse. */
export type Change = (pod: V1PodSpec, container: V1Container, job: V1Job) => unknown;

export const refused: Record<string, { says: RegExp; changes: Record<string, Change> }> = {
  'another shape': {
    says: /one container, and no init/,
    changes: {
      'a second container': (pod, container) =>
        pod.containers.push({ name: 'other', image: container.image ?? '' }),
      'an init container': (pod, container) =>
        (pod.initContainers = [{ name: 'init', image: container.image ?? '' }]),
    },
  },
  'another image': {
    says: /runs the image vivarium-sandbox:\S+ or science\./,
    changes: {
      "an image that is no pool's": (_, container) => (container.image = 'busybox'),
      "another tag of a pool's image": (_, container) => (container.image = 'science:other'),
    },
  },
  'another program': {
    says: /no other command, hooks, probes or ports/,
    changes: {
      'a command': (_, container) => (container.command = ['sh']),
      arguments: (_, container) => (container.args = ['-c']),
      'a port': (_, container) => (container.ports = [{ containerPort: 80 }]),
      'a hook that the kubelet calls': (_, container) =>
        (container.lifecycle = { preStop: { httpGet: { host: '169.254.169.254', port: 80 } } }),
      'a probe that the kubelet calls': (_, container) =>
        (container.livenessProbe = { tcpSocket: { host: '169.254.169.254', port: 80 } }),
    },
  },
  'what is not its own': {
    says: /no Secrets, ConfigMaps/,
    changes: {
      'a Secret as environment': (_, container) => (container.envFrom = [{ secretRef: { name: 'secret' } }]),
      'a key of a Secret': (_, container) =>
        container.env?.push({ name: 'KEY', valueFrom: { secretKeyRef: { name: 'secret', key: 'key' } } }),
    },
  },
  volumes: {
    says: /volumes in memory alone/,
    changes: {
      'a path of the node': (pod) => pod.volumes?.push({ name: 'host', hostPath: { path: '/' } }),
      'a Secret': (pod) => pod.volumes?.push({ name: 'secret', secret: { secretName: 'secret' } }),
      'a token': (pod) =>
        pod.volumes?.push({
          name: 'token',
          projected: { sources: [{ serviceAccountToken: { path: 'token' } }] },
        }),
      'the disk of the node': (pod) => pod.volumes?.push({ name: 'disk', emptyDir: { sizeLimit: '1Mi' } }),
      'memory without a limit': (pod) =>
        pod.volumes?.push({ name: 'memory', emptyDir: { medium: 'Memory' } }),
      'memory beyond the limit': (pod) =>
        pod.volumes?.push({ name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }),
    },
  },
  'a way to the API': {
    says: /no API token/,
    changes: {
      'its token': (pod) => (pod.automountServiceAccountToken = true),
      'the default of the token': (pod) => delete pod.automountServiceAccountToken,
      'another account': (pod) => (pod.serviceAccountName = 'other'),
      'service links': (pod) => (pod.enableServiceLinks = true),
      'a pull secret': (pod) => (pod.imagePullSecrets = [{ name: 'secret' }]),
    },
  },
  'namespaces of the node': {
    says: /shares no namespace|user namespace of its own/,
    changes: {
      network: (pod) => Object.assign(pod, { hostNetwork: true, hostUsers: true }),
      processes: (pod) => Object.assign(pod, { hostPID: true, hostUsers: true }),
      'inter-process communication': (pod) => Object.assign(pod, { hostIPC: true, hostUsers: true }),
      users: (pod) => (pod.hostUsers = true),
      'users by default': (pod) => delete pod.hostUsers,
    },
  },
  'another user or profile': {
    says: /user and group 65532/,
    changes: {
      'no security context': (pod) => delete pod.securityContext,
      root: (pod) => Object.assign(pod.securityContext ?? {}, { runAsNonRoot: false, runAsUser: 0 }),
      'root in the container': (_, container) =>
        Object.assign(container.securityContext ?? {}, { runAsNonRoot: false, runAsUser: 0 }),
      'no seccomp': (pod) =>
        Object.assign(pod.securityContext ?? {}, { seccompProfile: { type: 'Unconfined' } }),
      'no seccomp in the container': (_, container) =>
        Object.assign(container.securityContext ?? {}, { seccompProfile: { type: 'Unconfined' } }),
      'a sysctl': (pod) =>
        Object.assign(pod.securityContext ?? {}, { sysctls: [{ name: 'kernel.msgmax', value: '1' }] }),
    },
  },
  privileges: {
    says: /cannot gain privileges/,
    changes: {
      'no security context': (_, container) => delete container.securityContext,
      privileged: (_, container) =>
        Object.assign(container.securityContext ?? {}, { privileged: true, allowPrivilegeEscalation: true }),
      'gaining privileges': (_, container) => delete container.securityContext?.allowPrivilegeEscalation,
      'a writable root': (_, container) => delete container.securityContext?.readOnlyRootFilesystem,
      'the default capabilities': (_, container) => delete container.securityContext?.capabilities,
      'a capability': (_, container) =>
        Object.assign(container.securityContext?.capabilities ?? {}, { add: ['NET_RAW'] }),
    },
  },
  'another runtime': {
    says: /RuntimeClass of a sandbox is none or kata\./,
    changes: { "a RuntimeClass that is no pool's": (pod) => (pod.runtimeClassName = 'other') },
  },
  resources: {
    says: /limits of 2 CPU and 2048 MiB/,
    changes: {
      'no limits': (_, container) => delete container.resources,
      'no limit of memory': (_, container) => delete container.resources?.limits?.memory,
      'too many CPUs': (_, container) => Object.assign(container.resources?.limits ?? {}, { cpu: '2001m' }),
      'too much memory': (_, container) =>
        Object.assign(container.resources?.limits ?? {}, { memory: '2049Mi' }),
    },
  },
  time: {
    says: /one pod, tried once, with a deadline/,
    changes: {
      'no deadline': (_pod, _container, job) => delete job.spec?.activeDeadlineSeconds,
      'a far deadline': (_pod, _container, job) =>
        Object.assign(job.spec ?? {}, { activeDeadlineSeconds: 4111 }),
      'many pods': (_pod, _container, job) => Object.assign(job.spec ?? {}, { parallelism: 100 }),
      retries: (_pod, _container, job) => Object.assign(job.spec ?? {}, { backoffLimit: 6 }),
      'a long goodbye': (pod) => (pod.terminationGracePeriodSeconds = 3600),
      restarts: (pod) => (pod.restartPolicy = 'OnFailure'),
      'a pause': (_pod, _container, job) => Object.assign(job.spec ?? {}, { suspend: true }),
      'no end of the Job': (_pod, _container, job) => delete job.spec?.ttlSecondsAfterFinished,
    },
  },
  names: {
    says: /no resolver but itself/,
    changes: {
      "the cluster's resolver": (pod) => Object.assign(pod, { dnsPolicy: 'ClusterFirst' }),
      'another resolver': (pod) => (pod.dnsConfig = { nameservers: ['8.8.8.8'] }),
      'names of hosts': (pod) => (pod.hostAliases = [{ ip: '10.0.0.1', hostnames: ['a'] }]),
    },
  },
  place: {
    says: /goes where the settings say/,
    changes: {
      'a node': (pod) => (pod.nodeName = 'node'),
      'every taint': (pod) => (pod.tolerations = [{ operator: 'Exists' }]),
      'a priority': (pod) => (pod.priorityClassName = 'system-cluster-critical'),
    },
  },
  'what cannot be deleted': {
    says: /no finalizers/,
    changes: {
      'a finalizer on the Job': (_pod, _container, job) =>
        Object.assign(job.metadata ?? {}, { finalizers: ['example.com/stay'] }),
      'a finalizer on the pod': (_pod, _container, job) =>
        Object.assign(job.spec?.template.metadata ?? {}, { finalizers: ['example.com/stay'] }),
    },
  },
  label: {
    says: /carry the label/,
    changes: {
      'none on the Job': (_pod, _container, job) => Object.assign(job.metadata ?? {}, { labels: { a: 'b' } }),
      'none on the pod': (_pod, _container, job) => delete job.spec?.template.metadata?.labels,
    },
  },
};

/** JSON merge patches of the Job of a waiting sandbox. */
export const refusedPatches: Record<string, { says: RegExp; patches: Record<string, object> }> = {
  time: {
    says: /one pod, tried once, with a deadline/,
    patches: {
      'a later deadline than the longest': { spec: { activeDeadlineSeconds: 4111 } },
      'no deadline': { spec: { activeDeadlineSeconds: null } },
      'a pause, after which the deadline begins anew': { spec: { suspend: true } },
      'many pods': { spec: { parallelism: 100 } },
      retries: { spec: { backoffLimit: 6 } },
      'no end of the Job': { spec: { ttlSecondsAfterFinished: null } },
    },
  },
  label: {
    says: /carry the label/,
    patches: {
      none: { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } },
      another: { metadata: { labels: { 'app.kubernetes.io/managed-by': 'other' } } },
    },
  },
  'what cannot be deleted': {
    says: /no finalizers/,
    patches: { 'a finalizer': { metadata: { finalizers: ['example.com/stay'] } } },
  },
  'another sandbox': {
    says: /field is immutable/,
    patches: {
      'an image': { spec: { template: { spec: { containers: [{ name: 'sandbox', image: 'busybox' }] } } } },
      "the node's network": { spec: { template: { spec: { hostNetwork: true, hostUsers: true } } } },
      'its own deadline': { spec: { template: { spec: { activeDeadlineSeconds: 36_000 } } } },
    },
  },
};
