/** What the server's account may create, on a real cluster: the chart's admission policy against the Jobs of makeJob. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { settings, type Config } from '../../src/config.ts';
import { makeJob } from '../../src/sandbox/job.ts';
import { containerOf, podOf, refused } from './cases/refused-jobs.ts';
import { kubectlAs } from './harness/cluster.ts';
import { command, output } from './harness/command.ts';
import { forget, install, remove, type Release } from './harness/release.ts';
import { until } from './harness/until.ts';

// A release of its own, because it is changed and removed here. It has no replicas.
const name = `vivarium-policy-${randomBytes(3).toString('hex')}`;
const config = settings.parse({ namespace: `${name}-sandboxes`, replicaName: 'test' });

let release: Release;

function jobOf(changes: Partial<Config> = {}) {
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

const dryRun = ['create', '--dry-run=server', '-f', '-'];

/** Whether the server's account may create an object, and what the API server says. */
async function create(object: object): Promise<{ accepted: boolean; says: string }> {
  const ended = await kubectlAs(release.kubeconfig, dryRun, JSON.stringify(object));
  return { accepted: ended.code === 0, says: ended.stdout + ended.stderr };
}

/** A policy is in force some time after it is written. */
async function becomes(accepted: boolean, changes: Partial<Config>): Promise<void> {
  const job = jobOf(changes);
  const what = `a Job of ${JSON.stringify(changes)} is ${accepted ? 'accepted' : 'refused'}`;
  await until(what, async () => (await create(job)).accepted === accepted, 30);
}

async function upgrade(changes: Partial<Config>): Promise<void> {
  const values = ['--reuse-values', '--set-json', `config=${JSON.stringify(changes)}`];
  await output('helm', ['upgrade', name, 'helm/vivarium', '--namespace', name, ...values]);
}

describe('the admission policy', () => {
  before(async () => {
    release = await install(name, { replicas: 0 });
    await becomes(false, { image: 'busybox' });
  });

  after(async () => {
    await remove(name);
    await forget(release);
  });

  it('accepts the Job that the server makes', async () => {
    const { accepted, says } = await create(jobOf());
    assert.ok(accepted, says);
  });

  for (const [what, { says, changes }] of Object.entries(refused)) {
    describe(`refuses ${what}`, () => {
      for (const [variant, change] of Object.entries(changes)) {
        it(variant, async () => {
          const job = jobOf();
          change(podOf(job), containerOf(job), job);
          const answer = await create(job);
          assert.ok(!answer.accepted, 'it was accepted');
          assert.match(answer.says, says);
        });
      }
    });
  }

  it('says nothing to the Jobs of others', async () => {
    await output('kubectl', dryRun, { input: JSON.stringify(jobOf({ image: 'busybox' })) });
  });

  it('leaves the account no way around Jobs', async () => {
    const metadata = { name: 'bare', namespace: config.namespace };
    const { accepted, says } = await create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: podOf(jobOf()),
    });
    assert.ok(!accepted, 'a pod was accepted');
    assert.match(says, /cannot create resource "pods"/);
  });

  it('accepts the image from before an upgrade until the next', async () => {
    await upgrade({ image: 'next' });
    await becomes(true, { image: 'next' });
    const before = await create(jobOf());
    assert.ok(before.accepted, before.says);
    await upgrade({ image: 'next' });
    await becomes(false, {});
    await becomes(true, { image: 'next' });
  });

  it('follows the settings', async () => {
    const changes = {
      image: 'other',
      runtimeClass: 'gvisor',
      userNamespaces: false,
      imagePullSecrets: ['registry'],
      nodeSelector: { pool: 'sandboxes' },
      tolerations: [{ key: 'sandboxes', operator: 'Exists' }],
    };
    await upgrade(changes);
    await becomes(true, changes);
    const wrong: Partial<Config>[] = [
      { runtimeClass: '' },
      { imagePullSecrets: ['another'] },
      { nodeSelector: {} },
      { nodeSelector: { pool: 'another' } },
      { tolerations: [{ key: 'another', operator: 'Exists' }] },
    ];
    for (const change of wrong) {
      const { accepted } = await create(jobOf({ ...changes, ...change }));
      assert.ok(!accepted, JSON.stringify(change));
    }
    const onTheNode = jobOf(changes);
    podOf(onTheNode).hostNetwork = true;
    assert.match((await create(onTheNode)).says, /shares no namespace/);
    const asAnother = jobOf(changes);
    Object.assign(podOf(asAnother).securityContext ?? {}, { runAsUser: 1000, runAsGroup: 1000 });
    assert.match((await create(asAnother)).says, /user and group from 1000000 to/);
  });

  it('goes with its release, and so does the namespace', async () => {
    await output('helm', ['uninstall', name, '--namespace', name, '--wait']);
    const kinds = 'namespaces,validatingadmissionpolicies,validatingadmissionpolicybindings';
    const selector = `app.kubernetes.io/instance=${name}`;
    const { stdout } = await command('kubectl', ['get', kinds, '-l', selector, '-o', 'name']);
    assert.equal(stdout, '');
  });
});
