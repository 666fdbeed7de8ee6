/** What the server's account may create and change, on a real cluster: the chart's admission policy against the Jobs of makeJob. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { complete, type Config } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import { claimPatch, endPatch, extendPatch, makeJob, makeSessionJob } from '../../src/sandbox/job.ts';
import { containerOf, podOf, refused, refusedPatches } from './cases/refused-jobs.ts';
import { kubectlAs } from './harness/cluster.ts';
import { command, output } from './harness/command.ts';
import { forget, install, remove, type Release } from './harness/release.ts';
import { until } from './harness/until.ts';

// A release of its own, because it is changed and removed here. It has no replicas.
const name = `vivarium-policy-${randomBytes(3).toString('hex')}`;
const config = complete(
  settings.parse({
    namespace: `${name}-sandboxes`,
    replicaName: 'test',
    pools: [{ name: 'science', min: 0, max: 1, image: 'science', runtimeClass: 'kata' }],
  }),
);
const claim = {
  executionId: '0'.repeat(26),
  caller: '',
  requestKey: 'key',
  limits: { seconds: config.maxTimeoutSeconds, cpu: config.maxCpu, memory_mb: config.maxMemoryMb },
};
const owner = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'vivarium-test', uid: '0' };

let release: Release;

/** The Job of the largest and longest run. */
function jobOf(changes: Partial<Config> = {}) {
  const changed = { ...config, ...changes };
  const { image, runtimeClass } = changed;
  const { seconds, cpu, memory_mb } = claim.limits;
  const kind = { image, runtimeClass, cpu, memory_mb };
  const id = claim.executionId;
  return makeJob(changed, {
    id,
    kind,
    pool: undefined,
    claim,
    lifeSeconds: seconds + changed.fetchSeconds,
    build: false,
    owner,
  });
}

/** The Job of a sandbox that waits in the pool. It never has a pod: there is no such RuntimeClass. */
function waitingJob() {
  const [pool] = config.pools;
  assert.ok(pool);
  const { image, runtimeClass, cpu, memoryMb: memory_mb } = pool;
  const kind = { image, runtimeClass, cpu, memory_mb };
  const lifeSeconds = config.poolMaxAgeSeconds + config.fetchSeconds + config.maxTimeoutSeconds;
  return makeJob(config, {
    id: 'waiting',
    kind,
    pool: pool.name,
    claim: undefined,
    lifeSeconds,
    build: false,
    owner,
  });
}

/** The Job of the largest session that lives longest. It never has a pod: there is no such RuntimeClass. */
function sessionJob() {
  const { cpu, memory_mb } = claim.limits;
  const kind = { image: 'science', runtimeClass: 'kata', cpu, memory_mb };
  const maxAgeSeconds = config.sessionMaxAgeSeconds;
  const spec = { key: 'a'.repeat(40), caller: '', kind, maxAgeSeconds, lifeSeconds: maxAgeSeconds };
  return makeSessionJob(config, spec, owner);
}

const dryRun = ['create', '--dry-run=server', '-f', '-'];

interface Answer {
  accepted: boolean;
  says: string;
}

/** Whether the server's account may do something, and what the API server says. */
async function asServer(args: string[], input?: string): Promise<Answer> {
  const ended = await kubectlAs(release.kubeconfig, args, input);
  return { accepted: ended.code === 0, says: ended.stdout + ended.stderr };
}

function create(object: object): Promise<Answer> {
  return asServer(dryRun, JSON.stringify(object));
}

function patchWaiting(patch: object): Promise<Answer> {
  return patchJob('run-waiting', patch);
}

function patchJob(job: string, patch: object): Promise<Answer> {
  const which = ['job', job, '--namespace', config.namespace];
  return asServer(['patch', ...which, '--dry-run=server', '--type=merge', '--patch', JSON.stringify(patch)]);
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
    await upgrade({ pools: config.pools });
    await becomes(true, { image: 'science' });
    await becomes(false, { image: 'busybox' });
    // Before the first policy all is accepted; the first one does not know the pools.
    await becomes(true, { image: 'science' });
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

  describe('for the Job of a sandbox that waits in a pool', () => {
    before(async () => {
      const job = waitingJob();
      // The garbage collector takes what a Lease owns that is not there.
      delete job.metadata?.ownerReferences;
      const { accepted, says } = await asServer(['create', '-f', '-'], JSON.stringify(job));
      assert.ok(accepted, says);
    });

    it('accepts that a run is written on it, as late as one can be', async () => {
      const { accepted, says } = await patchWaiting(
        claimPatch(claim, config.startTimeoutSeconds + config.poolMaxAgeSeconds, config.fetchSeconds),
      );
      assert.ok(accepted, says);
    });

    for (const [what, { says, patches }] of Object.entries(refusedPatches)) {
      for (const [variant, patch] of Object.entries(patches)) {
        it(`refuses ${what}: ${variant}`, async () => {
          const answer = await patchWaiting(patch);
          assert.ok(!answer.accepted, 'it was accepted');
          assert.match(answer.says, says);
        });
      }
    }
  });

  describe('for the Job of a session', () => {
    const job = sessionJob();

    before(async () => {
      const kept = structuredClone(job);
      delete kept.metadata?.ownerReferences;
      const { accepted, says } = await asServer(['create', '-f', '-'], JSON.stringify(kept));
      assert.ok(accepted, says);
    });

    const { startTimeoutSeconds, sessionMaxAgeSeconds } = config;
    const patches = {
      'lives on, to its greatest age': extendPatch(startTimeoutSeconds, sessionMaxAgeSeconds),
      'ends, and is a record': endPatch(startTimeoutSeconds + sessionMaxAgeSeconds, 'idle'),
    };
    for (const [what, patch] of Object.entries(patches)) {
      it(`accepts that it ${what}`, async () => {
        const { accepted, says } = await patchJob(job.metadata?.name ?? '', patch);
        assert.ok(accepted, says);
      });
    }

    it('refuses a later deadline', async () => {
      const patch = extendPatch(startTimeoutSeconds, sessionMaxAgeSeconds + 60);
      const { accepted, says } = await patchJob(job.metadata?.name ?? '', patch);
      assert.ok(!accepted, 'it was accepted');
      assert.match(says, /one pod, tried once, with a deadline/);
    });

    it('refuses a run that takes itself for one', async () => {
      const run = jobOf();
      Object.assign(run.metadata?.labels ?? {}, { 'vivarium.dev/session': 'a'.repeat(40) });
      Object.assign(run.spec ?? {}, { activeDeadlineSeconds: 10_000 });
      const { accepted, says } = await create(run);
      assert.ok(!accepted, 'it was accepted');
      assert.match(says, /The Job of a session is named by its key/);
    });
  });

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

  it('accepts the images from before an upgrade until the next', async () => {
    await upgrade({ image: 'next', pools: [] });
    await becomes(true, { image: 'next' });
    for (const { accepted, says } of [await create(jobOf()), await create(jobOf({ image: 'science' }))]) {
      assert.ok(accepted, says);
    }
    await upgrade({ image: 'next' });
    await becomes(false, {});
    await becomes(false, { image: 'science' });
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
    await output('helm', ['uninstall', name, '--namespace', name, '--wait'], { seconds: 120 });
    const kinds = 'namespaces,validatingadmissionpolicies,validatingadmissionpolicybindings';
    const selector = `app.kubernetes.io/instance=${name}`;
    const { stdout } = await command('kubectl', ['get', kinds, '-l', selector, '-o', 'name']);
    assert.equal(stdout, '');
  });
});
