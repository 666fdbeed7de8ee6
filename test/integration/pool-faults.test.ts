import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { FakePod } from './fake-api/pod.ts';
import { echo, exited, started } from './fake-api/scripts.ts';
import { fakeApi, metricsOf, pool, post, refused, run, vivarium, warmed } from './harness.ts';
import { until } from './until.ts';

const pools = [pool()];

describe('a sandbox that waited', () => {
  it('is completed from the log where its attach breaks', async (t) => {
    const api = await fakeApi(t);
    api.script = async (pod) => {
      await started(pod);
      pod.say({ type: 'stdout', text: 'one\n' });
      pod.detach();
      pod.say({ type: 'stdout', text: 'two\n' });
      pod.say(exited(8));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const server = await vivarium(api, { pools });
    await warmed(server, 2);
    const result = await run(server, { code: 'a' });
    assert.deepEqual([result.status, result.stdout, result.truncated], ['succeeded', 'one\ntwo\n', false]);
    await until(() => api.requests.some((request) => request.startsWith('PATCH')));
  });

  it('and ends without saying how is a result, and its Job goes', async (t) => {
    const api = await fakeApi(t);
    api.script = async (pod) => {
      await started(pod);
      pod.end({ exitCode: 137, reason: 'OOMKilled' });
    };
    const server = await vivarium(api, { pools });
    await warmed(server, 2);
    const before = new Set(api.jobs);
    assert.equal((await run(server, { code: 'a' })).status, 'out_of_memory');
    await until(() => [...before].filter((job) => api.jobs.includes(job)).length === 1);
    assert.ok(!api.requests.some((request) => request.startsWith('PATCH')));
  });

  for (const [what, act] of [
    ['its attach breaks', 'detach'],
    ['its pod goes', 'delete'],
  ] as const) {
    it(`is given to nobody once ${what}, and another takes its place`, async (t) => {
      const api = await fakeApi(t);
      const server = await vivarium(api, { pools });
      await warmed(server, 2);
      const [first] = api.pods.values();
      assert.ok(first);
      first[act]();
      await until(() => !api.jobs.includes(first.job));
      await warmed(server, 2);
      assert.equal(api.jobs.length, 2);
      assert.ok((await metricsOf(server)).includes('vivarium_pool_failures_total{pool="warm"} 1'));
      assert.equal((await run(server, { code: 'a' })).stdout, 'a');
    });
  }

  it('runs although it cannot be written on its Job', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { pools });
    await warmed(server, 2);
    api.faults.order('PATCH', /jobs/, { status: 403, reason: 'Forbidden' }, Infinity);
    assert.equal((await run(server, { code: 'a' })).status, 'succeeded');
    await until(() => api.requests.some((request) => request.startsWith('PATCH')));
    assert.equal((await run(server, { code: 'b' })).stdout, 'b');
  });

  it('is written on its Job again where the API server was away', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { pools });
    await warmed(server, 2);
    api.faults.order('PATCH', /jobs/, 'reset', 2);
    const { execution_id } = await run(server, { code: 'a' });
    const label = 'vivarium.dev/execution';
    await until(() =>
      [...api.stores.jobs.objects.values()].some(({ metadata }) => metadata.labels?.[label] === execution_id),
    );
  });
});

describe('a pool', () => {
  it('whose image is not there says so to each request, and does not storm the cluster', async (t) => {
    const api = await fakeApi(t);
    api.script = (pod) => {
      pod.wait('ErrImagePull', 'no such host');
    };
    const server = await vivarium(api, { pools });
    for (let asked = 0; asked < 2; asked += 1) {
      const { body } = await refused(server, { code: 'a' });
      assert.equal(body.error.code, 'image_pull_failed');
    }
    await until(() => api.jobs.length === 0);
    const made = api.requests.filter(
      (request) => request === 'POST /apis/batch/v1/namespaces/sandboxes/jobs',
    );
    assert.ok(made.length <= 5, `${made.length} Jobs`);
    api.script = echo;
    assert.equal((await run(server, { code: 'a' })).stdout, 'a', 'and serves at once when it is');
    await warmed(server, 2);
  });

  it('whose sandboxes end while they import serves nobody a sandbox that has ended', async (t) => {
    const api = await fakeApi(t);
    let made = 0;
    api.script = async (pod) => {
      made += 1;
      if (made > 2) return echo(pod);
      pod.start();
      await pod.hello;
      pod.write(Buffer.from('MemoryError\n'));
      pod.end({ exitCode: 2, reason: 'Error' });
    };
    const server = await vivarium(api, { pools });
    await until(() => made === 2 && api.jobs.length === 0);
    assert.equal((await run(server, { code: 'a' })).stdout, 'a');
    await warmed(server, 2);
  });
});

describe('shutting down with a pool', () => {
  it('ends what waits at once, lets a run end, and leaves nothing', async (t) => {
    const api = await fakeApi(t);
    const finish = Promise.withResolvers<undefined>();
    let runs: FakePod | undefined;
    api.script = async (pod) => {
      await started(pod);
      runs = pod;
      await finish.promise;
      pod.say(exited(0));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const server = await vivarium(api, { pools, drainSeconds: 10 });
    await warmed(server, 2);
    const running = post<ExecutionResult>(server, { code: 'a' });
    await until(() => runs !== undefined);
    await warmed(server, 2);
    assert.equal(api.jobs.length, 3);
    const closing = server.close();
    await until(() => api.jobs.length === 1);
    assert.deepEqual(api.jobs, [runs?.job]);
    finish.resolve(undefined);
    assert.equal((await running).body.status, 'succeeded');
    await closing;
    assert.deepEqual(api.jobs, []);
    assert.equal(api.stores.leases.objects.size, 0);
  });

  it('gives up what starts and what imports', async (t) => {
    const api = await fakeApi(t);
    let made = 0;
    let imports = 0;
    api.script = async (pod) => {
      made += 1;
      if (made > 2) return;
      pod.start();
      await pod.hello;
      imports += 1;
    };
    const server = await vivarium(api, { pools: [pool({ min: 4 })] });
    await until(() => made === 4 && imports === 2);
    await server.close();
    assert.deepEqual(api.jobs, []);
    assert.equal(api.stores.leases.objects.size, 0);
  });
});
