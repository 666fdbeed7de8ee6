/** What the server's account may create, on a real cluster: the chart's admission policy against the Jobs of makeJob. */
import type { V1Container, V1Job, V1PodSpec } from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { settings } from '../../src/config.ts';
import { makeJob } from '../../src/sandbox/job.ts';

// Names of its own, and no replica: the release needs no image and meets no other test.
const release = `admission-${randomBytes(3).toString('hex')}`;
const namespace = `${release}-sandboxes`;
const account = `system:serviceaccount:${release}:${release}-vivarium`;
const chart = new URL('../../helm/vivarium', import.meta.url).pathname;
const config = settings.parse({ namespace, replicaName: 'test' });

interface Outcome {
  ok: boolean;
  output: string;
}

function call(command: string, args: string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(command, args, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}

async function must(command: string, ...args: string[]): Promise<string> {
  const { ok, output } = await call(command, args);
  assert.ok(ok, `${command} ${args.join(' ')}: ${output}`);
  return output;
}

function upgrade(...values: string[]): Promise<string> {
  const set = [`sandbox.namespace=${namespace}`, 'replicas=0', ...values].flatMap((value) => [
    '--set',
    value,
  ]);
  return must('helm', 'upgrade', '--install', release, chart, '-n', release, '--create-namespace', ...set);
}

function jobOf(changes: Partial<typeof config> = {}): V1Job {
  return makeJob(
    { ...config, ...changes },
    {
      executionId: '0'.repeat(26),
      requestKey: undefined,
      limits: { seconds: config.maxTimeoutSeconds, cpu: config.maxCpu, memory_mb: config.maxMemoryMb },
      owner: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'vivarium-test', uid: '0' },
    },
  );
}

function create(object: object, as = account): Promise<Outcome> {
  const args = ['create', '--namespace', namespace, '--dry-run=server', '-f', '-'];
  return call('kubectl', as ? [...args, '--as', as] : args, JSON.stringify(object));
}

function podOf(job: V1Job): V1PodSpec {
  assert.ok(job.spec?.template.spec);
  return job.spec.template.spec;
}

function containerOf(job: V1Job): V1Container {
  const [container] = podOf(job).containers;
  assert.ok(container);
  return container;
}

type Change = (pod: V1PodSpec, container: V1Container, job: V1Job) => unknown;

const refused: Record<string, { says: RegExp; changes: Record<string, Change> }> = {
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
    says: /runs the image vivarium-sandbox:/,
    changes: { 'an image of its own': (_, container) => (container.image = 'busybox') },
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
    says: /names no RuntimeClass/,
    changes: { 'a RuntimeClass': (pod) => (pod.runtimeClassName = 'other') },
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
        Object.assign(job.spec ?? {}, { activeDeadlineSeconds: 3600 }),
      'many pods': (_pod, _container, job) => Object.assign(job.spec ?? {}, { parallelism: 100 }),
      retries: (_pod, _container, job) => Object.assign(job.spec ?? {}, { backoffLimit: 6 }),
      restarts: (pod) => (pod.restartPolicy = 'OnFailure'),
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
  label: {
    says: /carry the label/,
    changes: {
      'none on the Job': (_pod, _container, job) => Object.assign(job.metadata ?? {}, { labels: { a: 'b' } }),
      'none on the pod': (_pod, _container, job) => delete job.spec?.template.metadata?.labels,
    },
  },
};

/** A policy is in force some time after it is written. */
async function becomes(accepted: boolean, image: string): Promise<void> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline;) {
    if ((await create(jobOf({ image }))).ok === accepted) return;
    await sleep(250);
  }
  assert.fail(`${image} is not ${accepted ? 'accepted' : 'refused'} after 30 s`);
}

describe('the admission policy', () => {
  before(async () => {
    await upgrade();
    await becomes(false, 'busybox');
  });

  after(async () => {
    await call('helm', ['uninstall', release, '--namespace', release, '--wait', '--ignore-not-found']);
    await call('kubectl', ['delete', 'namespace', release, '--ignore-not-found']);
  });

  it('accepts the Job that the server makes', async () => {
    const { ok, output } = await create(jobOf());
    assert.ok(ok, output);
  });

  for (const [what, { says, changes }] of Object.entries(refused)) {
    describe(`refuses ${what}`, () => {
      for (const [variant, change] of Object.entries(changes)) {
        it(variant, async () => {
          const job = jobOf();
          change(podOf(job), containerOf(job), job);
          const { ok, output } = await create(job);
          assert.ok(!ok, 'it was accepted');
          assert.match(output, says);
        });
      }
    });
  }

  it('says nothing to the Jobs of others', async () => {
    const { ok, output } = await create(jobOf({ image: 'busybox' }), '');
    assert.ok(ok, output);
  });

  it('leaves the account no way around Jobs', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec: podOf(jobOf()) };
    const { ok, output } = await create(pod);
    assert.ok(!ok, 'a pod was accepted');
    assert.match(output, /cannot create resource "pods"/);
  });

  it('accepts the image from before an upgrade until the next', async () => {
    await upgrade('config.image=next');
    await becomes(true, 'next');
    const before = await create(jobOf());
    assert.ok(before.ok, before.output);
    await upgrade('config.image=next');
    await becomes(false, config.image);
    await becomes(true, 'next');
  });

  it('goes with its release, and so does the namespace', async () => {
    await must('helm', 'uninstall', release, '--namespace', release, '--wait');
    const left = await must(
      'kubectl',
      'get',
      'namespaces,validatingadmissionpolicies,validatingadmissionpolicybindings',
      '-l',
      `app.kubernetes.io/instance=${release}`,
      '-o',
      'name',
    );
    assert.equal(left.replace(/^Warning.*\n?/gm, ''), '');
  });
});
