/** What the chart allows where environments are on: builds what they need, runs to read, and the server its records. */
import type { V1Job, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { complete, type Config } from '../../src/config.ts';
import { makeJob } from '../../src/sandbox/job.ts';
import { settings } from '../../src/settings.ts';
import { containerOf, podOf, type Change } from './cases/refused-jobs.ts';
import { kubectl, kubectlAs } from './harness/cluster.ts';
import { output } from './harness/command.ts';
import { forget, install, remove, type Release } from './harness/release.ts';
import { openUndo } from './harness/undo.ts';
import { until } from './harness/until.ts';

const name = `vivarium-policy-${randomBytes(3).toString('hex')}`;
const config = complete(
  settings.parse({
    namespace: `${name}-sandboxes`,
    replicaName: 'test',
    environmentsClaim: 'vivarium-environments',
    packageIndexCredentials: 'index',
    buildMemoryMb: 3000,
  }),
);
const inNamespace = ['--namespace', config.namespace];

let release: Release;

function jobOf(build: boolean, { userNamespaces }: Partial<Config> = {}): V1Job {
  const { image, runtimeClass, maxCpu: cpu, maxMemoryMb, buildMemoryMb, fetchSeconds } = config;
  return makeJob(
    { ...config, ...(userNamespaces !== undefined && { userNamespaces }) },
    {
      id: '0'.repeat(26),
      kind: { image, runtimeClass, cpu, memory_mb: build ? buildMemoryMb : maxMemoryMb },
      pool: undefined,
      claim: undefined,
      lifeSeconds: build ? config.buildSeconds : config.maxTimeoutSeconds + fetchSeconds,
      build,
      owner: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'vivarium-test', uid: '0' },
    },
  );
}

/** Whether the server's account may do something, and what the API server says. */
async function asServer(args: string[], input?: string): Promise<{ accepted: boolean; says: string }> {
  const ended = await kubectlAs(release.kubeconfig, [...args, ...inNamespace], input);
  return { accepted: ended.code === 0, says: ended.stdout + ended.stderr };
}

const create = (job: V1Job) => asServer(['create', '--dry-run=server', '-f', '-'], JSON.stringify(job));

async function upgrade(...values: string[]): Promise<void> {
  await output('helm', ['upgrade', name, 'helm/vivarium', '--namespace', name, '--reuse-values', ...values]);
}

/** Changes the n-th volume beside the one in memory, and where it is mounted. */
function volume(n: number, ofVolume: object, ofMount: object = {}): Change {
  return (pod, container) => {
    Object.assign(pod.volumes?.[n] ?? {}, ofVolume);
    const mount = container.volumeMounts?.find((mount) => mount.name === pod.volumes?.[n]?.name);
    Object.assign(mount ?? {}, ofMount);
  };
}

const role = (ofJob: string, ofPod: string): Change => {
  return (_pod, _container, job) => {
    Object.assign(job.metadata?.labels ?? {}, { 'vivarium.dev/role': ofJob });
    if (job.spec)
      job.spec.template.metadata = { labels: { ...job.metadata?.labels, 'vivarium.dev/role': ofPod } };
  };
};

const claim = (claimName: string, readOnly: boolean) => ({ persistentVolumeClaim: { claimName, readOnly } });
const { environmentsClaim } = config;

const refusedRuns: Record<string, { says: RegExp; change: Change }> = {
  'another claim': { says: /and the claim vivarium-environments/, change: volume(1, claim('other', true)) },
  'the claim, writable': {
    says: /read-only but for builds/,
    change: volume(1, claim(environmentsClaim, false)),
  },
  'the claim, mounted writable': {
    says: /read-only but for builds/,
    change: volume(1, {}, { readOnly: false }),
  },
  'the claim, mounted elsewhere': {
    says: /at \/environments/,
    change: volume(1, {}, { mountPath: '/usr/lib/python3' }),
  },
  'the credentials of the index': {
    says: /for builds the Secret index/,
    change: (pod) => pod.volumes?.push({ name: 'index', secret: { secretName: 'index' } }),
  },
  "the cluster's resolver": {
    says: /no resolver but itself/,
    change: (pod) => {
      delete pod.dnsConfig;
      pod.dnsPolicy = 'ClusterFirst';
    },
  },
  'a group of its volumes that is not its own': {
    says: /user and group/,
    change: (pod) => Object.assign(pod.securityContext ?? {}, { fsGroup: 1000 }),
  },
  "a build's memory": {
    says: /\(a build 3000 MiB\)/,
    change: (_, container) => Object.assign(container.resources?.limits ?? {}, { memory: '3000Mi' }),
  },
  'no role': { says: /sandbox or builder/, change: role('', '') },
  "a build's role for the Job alone": {
    says: /role of a sandbox and of its Job/,
    change: role('builder', 'sandbox'),
  },
};

const refusedBuilds: Record<string, { says: RegExp; change: Change }> = {
  'their role for the pod alone': {
    says: /role of a sandbox and of its Job/,
    change: role('sandbox', 'builder'),
  },
  'another claim': { says: /and the claim vivarium-environments/, change: volume(1, claim('other', false)) },
  'the claim elsewhere': { says: /at \/environments/, change: volume(1, {}, { mountPath: '/other' }) },
  'another Secret': { says: /the Secret index/, change: volume(2, { secret: { secretName: 'other' } }) },
  'the Secret elsewhere': { says: /at \/index/, change: volume(2, {}, { mountPath: '/other' }) },
  'another user': {
    says: /a build as 65532/,
    change: (pod) => Object.assign(pod.securityContext ?? {}, { runAsUser: 1000001, runAsGroup: 1000001 }),
  },
  'another resolver': {
    says: /a build that of the cluster/,
    change: (pod) => (pod.dnsConfig = { nameservers: ['8.8.8.8'] }),
  },
  'the network of its node': {
    says: /shares no namespace|user namespace of its own/,
    change: (pod) => Object.assign(pod, { hostNetwork: true, hostUsers: true }),
  },
  'more memory': {
    says: /\(a build 3000 MiB\)/,
    change: (_, container) => Object.assign(container.resources?.limits ?? {}, { memory: '3001Mi' }),
  },
  'a later deadline': {
    says: /, a build 480 s\)/,
    change: (_pod, _container, job) => Object.assign(job.spec ?? {}, { activeDeadlineSeconds: 481 }),
  },
};

describe('where environments are on', () => {
  const undo = openUndo();
  before(async () => {
    const { buildMemoryMb } = config;
    undo.add(() => remove(name));
    release = await install(name, {
      replicas: 0,
      'environments.enabled': true,
      'environments.accessModes': ['ReadWriteOnce'],
      'environments.index.secret': 'index',
      'config.buildMemoryMb': buildMemoryMb,
    });
    undo.add(() => forget(release));
    await until('builds are accepted', async () => (await create(jobOf(true))).accepted, 30);
    await until(
      'the policy is in force',
      async () => {
        const job = jobOf(true);
        containerOf(job).image = 'busybox';
        return !(await create(job)).accepted;
      },
      30,
    );
  });

  after(() => undo.run());

  it('makes the claim', async () => {
    const text = await kubectl([
      'get',
      'persistentvolumeclaim',
      environmentsClaim,
      ...inNamespace,
      '-o',
      'json',
    ]);
    const { spec } = JSON.parse(text) as V1PersistentVolumeClaim;
    assert.deepEqual(spec?.accessModes, ['ReadWriteOnce']);
  });

  it('accepts runs and builds as the server makes them', async () => {
    for (const build of [false, true]) {
      const { accepted, says } = await create(jobOf(build));
      assert.ok(accepted, says);
    }
  });

  for (const [build, cases] of [
    [false, refusedRuns],
    [true, refusedBuilds],
  ] as const) {
    describe(`refuses ${build ? 'builds' : 'runs'}`, () => {
      for (const [what, { says, change }] of Object.entries(cases)) {
        it(what, async () => {
          const job = jobOf(build);
          change(podOf(job), containerOf(job), job);
          const answer = await create(job);
          assert.ok(!answer.accepted, 'it was accepted');
          assert.match(answer.says, says);
        });
      }
    });
  }

  it('lets the server write its records, and no other ConfigMap', async () => {
    const patch = ['--type=merge', '--patch', JSON.stringify({ data: { key: 'kept' } })];
    const { accepted, says } = await asServer(['patch', 'configmap', 'vivarium-environments', ...patch]);
    assert.ok(accepted, says);
    for (const args of [
      ['get', 'configmap', 'kube-root-ca.crt'],
      ['get', 'configmaps'],
      ['get', 'secrets'],
    ]) {
      assert.match((await asServer(args)).says, /is forbidden/);
    }
  });

  it('keeps the records through an upgrade, and builds as one user where runs have their own', async () => {
    await upgrade('--set', 'config.userNamespaces=false');
    const records = ['get', 'configmap', 'vivarium-environments', '-o', 'jsonpath={.data.key}'];
    assert.equal((await asServer(records)).says, 'kept');
    const changes = { userNamespaces: false };
    await until(
      'runs with a user of their own are accepted',
      async () => (await create(jobOf(false, changes))).accepted,
      30,
    );
    const { accepted, says } = await create(jobOf(true, changes));
    assert.ok(accepted, says);
    assert.match(
      (await create(jobOf(false))).says,
      /user and group from 1000000 to 17777215, a build as 65532/,
    );
  });

  it('allows no builds once they are off', async () => {
    await upgrade('--set', 'environments.enabled=false', '--set', 'config.userNamespaces=true');
    await until('builds are refused', async () => !(await create(jobOf(true))).accepted, 30);
    assert.match((await create(jobOf(true))).says, /volumes in memory alone, with a size limit\./);
  });
});
