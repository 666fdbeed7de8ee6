/** Builds of environments on several replicas, and what a cluster does to them. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { exited, started } from './fake-api/scripts.ts';
import type { FakePod } from './fake-api/pod.ts';
import type { FakeApi } from './fake-api/server.ts';
import { fakeApi, post, refused, run, vivarium } from './harness.ts';
import { runsOf } from './sessions-support.ts';
import { until } from './until.ts';

const facts = { python: '3.13.5', platform: 'linux-x86_64', packages: [] };
const name = 'vivarium-environments';
const request = { code: 'print(1)', requirements: ['polars'] };
const claim = { environmentsClaim: 'environments' };

interface Cluster {
  api: FakeApi;
  /** The builders, in the order in which they were asked. */
  builders: FakePod[];
  /** What a builder does after it has said what it is at. */
  onBuild: (pod: FakePod, succeed: () => void) => Promise<void> | void;
}

/** A cluster whose sandboxes know what builders, and those who are asked for facts, say. */
async function cluster(t: TestContext): Promise<Cluster> {
  const api = await fakeApi(t);
  api.stores.configmaps.create({ metadata: { name } });
  const made: Cluster = {
    api,
    builders: [],
    onBuild: (_pod, succeed) => {
      succeed();
    },
  };
  api.script = async (pod) => {
    const { code, stdin } = await started(pod);
    const say = (text: string) => {
      pod.say({ type: 'stdout', text });
      pod.say(exited(text.length));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    if (stdin === '') {
      say(code === request.code ? code : JSON.stringify(facts));
      return;
    }
    made.builders.push(pod);
    pod.say({ type: 'stderr', text: 'Resolving polars\n' });
    const { key, requirements } = JSON.parse(stdin) as { key: string; requirements: string[] };
    const built = { key, requirements, bytes: 10, created: new Date().toISOString(), shadows: [] };
    await made.onBuild(pod, () => {
      say(JSON.stringify({ ...built, existing: false, unrecorded: [] }));
    });
  };
  return made;
}

const fail = (pod: FakePod) => {
  pod.say({ type: 'stderr', text: '\nerror: there is no polars\n' });
  pod.say(exited(0, { exit_code: 1 }));
  pod.end({ exitCode: 0, reason: 'Completed' });
};

const records = ({ api }: Cluster) =>
  Object.keys((api.stores.configmaps.objects.get(name)?.data as object | undefined) ?? {});

describe('environments on a cluster', () => {
  it('are built once for all replicas, and are on record', async (t) => {
    const made = await cluster(t);
    const one = await vivarium(made.api, claim);
    assert.equal((await run(one, request)).stdout, 'print(1)');
    assert.equal(records(made).length, 1);
    const two = await vivarium(made.api, { ...claim, replicaName: 'two' });
    assert.equal((await run(two, request)).stdout, 'print(1)');
    assert.equal(made.builders.length, 1);
  });

  it('one replica follows the build that goes on on another', async (t) => {
    const made = await cluster(t);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    made.onBuild = async (_pod, succeed) => {
      await promise;
      succeed();
    };
    const servers = [
      await vivarium(made.api, claim),
      await vivarium(made.api, { ...claim, replicaName: 'two' }),
    ];
    const answers = Promise.all(servers.map((server) => run(server, request)));
    const posts = () =>
      made.api.requests.filter((asked) => asked.startsWith('GET') && asked.includes('jobs/run-'));
    await until(() => posts().length > 0);
    resolve(undefined);
    assert.deepEqual(
      (await answers).map(({ status }) => status),
      ['succeeded', 'succeeded'],
    );
    assert.equal(made.builders.length, 1);
  });

  it('one replica takes over when the other ends amid the build', async (t) => {
    const made = await cluster(t);
    made.onBuild = (_pod, succeed) => {
      if (made.builders.length > 1) succeed();
    };
    const one = await vivarium(made.api, claim);
    const two = await vivarium(made.api, { ...claim, replicaName: 'two' });
    const ended = post(one, request).catch(() => undefined);
    await until(() => made.builders.length === 1);
    const answer = run(two, request);
    await until(() => made.api.requests.some((asked) => /^GET .*jobs\/run-/.test(asked)));
    await one.close();
    await ended;
    assert.equal((await answer).status, 'succeeded');
    assert.equal(made.builders.length, 2);
  });

  it('a build that failed is tried again on another replica, under the name that its Job had', async (t) => {
    const made = await cluster(t);
    made.onBuild = (pod, succeed) => {
      if (made.builders.length > 1) succeed();
      else fail(pod);
    };
    const [one, two] = [
      await vivarium(made.api, claim),
      await vivarium(made.api, { ...claim, replicaName: 'two' }),
    ];
    const { status, body } = await refused(one, request);
    assert.deepEqual(
      [status, body.error.code, body.error.message],
      [422, 'build_failed', 'error: there is no polars'],
    );
    await refused(one, request);
    assert.equal(made.builders.length, 1);
    assert.equal((await run(two, request)).status, 'succeeded');
    const [first, second] = made.builders;
    assert.equal(first?.job, second?.job);
  });

  it('the Job that a lost answer made is the server’s own', async (t) => {
    const made = await cluster(t);
    const server = await vivarium(made.api, claim);
    await run(server, request);
    made.api.faults.order('POST', /\/jobs$/, 'reset after');
    assert.equal((await run(server, { ...request, requirements: ['other'] })).status, 'succeeded');
    assert.equal(made.builders.length, 2);
  });

  it('a replica that fails to build leaves the build that goes on on another', async (t) => {
    const made = await cluster(t);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    made.onBuild = async (_pod, succeed) => {
      if (made.builders.length > 1) await promise;
      succeed();
    };
    const one = await vivarium(made.api, claim);
    const two = await vivarium(made.api, { ...claim, replicaName: 'two' });
    await run(two, request);
    const other = { ...request, requirements: ['other'] };
    const answer = run(one, other);
    await until(() => made.builders.length === 2);
    const job = made.builders[1]?.job ?? '';
    made.api.faults.order('POST', /\/jobs$/, { status: 403, message: 'no' });
    assert.equal((await refused(two, other)).body.error.code, 'forbidden');
    assert.ok(made.api.jobs.includes(job));
    // Nor does it mind that the Job goes while it is looked at.
    made.api.faults.order('GET', new RegExp(`${job}$`), { status: 404 });
    const followed = run(two, other);
    await until(
      () =>
        made.api.requests.filter((asked) => asked.startsWith('GET') && asked.endsWith(`/jobs/${job}`))
          .length > 1,
    );
    resolve(undefined);
    assert.deepEqual([(await answer).status, (await followed).status], ['succeeded', 'succeeded']);
    assert.equal(made.builders.length, 2);
  });

  it('a sandbox that does not find one has it built again', async (t) => {
    const made = await cluster(t);
    const server = await vivarium(made.api, claim);
    const usual = made.api.script;
    let isMissing = false;
    made.api.script = async (pod) => {
      if (!isMissing) return usual(pod);
      isMissing = false;
      pod.start();
      await pod.asked;
      pod.say(exited(0, { cause: 'environment_missing', exit_code: null }));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    await run(server, request);
    isMissing = true;
    assert.equal((await run(server, request)).status, 'succeeded');
    assert.equal(made.builders.length, 2);
  });

  it('little output for programs of callers is no limit for what asks for packages', async (t) => {
    const made = await cluster(t);
    const server = await vivarium(made.api, { ...claim, outputBytes: 1024 });
    assert.equal((await run(server, request)).status, 'succeeded');
    const limits = runsOf(made.api).map((asked) => [asked.code === request.code, asked.limits.output_bytes]);
    assert.ok(limits.length >= 3);
    for (const [isCallers, bytes] of limits) assert.equal(bytes, isCallers ? 1024 : 1_048_576);
  });

  it('without their ConfigMap the answer says what is missing', async (t) => {
    const made = await cluster(t);
    made.api.stores.configmaps.delete(name);
    const { status, body } = await refused(await vivarium(made.api, claim), request);
    assert.deepEqual([status, body.error.code], [501, 'environments_unavailable']);
    assert.match(body.error.message, /vivarium-environments in sandboxes/);
  });
});
