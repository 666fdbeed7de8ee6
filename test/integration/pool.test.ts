import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Config } from '../../src/config.ts';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { ExecutionView } from '../../src/result/execution-view.ts';
import { unknownWaits } from '../../src/schedule/clock.ts';
import type { FakeApi } from './fake-api/server.ts';
import { echo, endless, exited, started, starts } from './fake-api/scripts.ts';
import { call, config, fakeApi, metricsOf, pool, post, refused, run, vivarium, warmed } from './harness.ts';
import { until } from './until.ts';

/** A server whose pool has two sandboxes ready. */
async function warm(t: TestContext, changes: Partial<Config> = {}, script?: FakeApi['script']) {
  const api = await fakeApi(t);
  if (script) api.script = script;
  const server = await vivarium(api, { pools: [pool()], ...changes });
  await warmed(server, 2);
  return { api, server };
}

const of = (api: FakeApi, method: string) =>
  api.requests.filter((request) => request.startsWith(`${method} `) && request.includes('/jobs'));

/** The Jobs that are written as the run's own. */
const jobsOf = (api: FakeApi, executionId: string) =>
  [...api.stores.jobs.objects.values()].filter(
    ({ metadata }) => metadata.labels?.['vivarium.dev/execution'] === executionId,
  );

describe('a pool', () => {
  it('is filled before anyone asks, its modules imported', async (t) => {
    const api = await fakeApi(t);
    const hellos: string[][] = [];
    api.script = async (pod) => {
      starts(pod, { pandas: 'ModuleNotFoundError' });
      hellos.push(await pod.hello);
    };
    const server = await vivarium(api, { pools: [pool({ preload: ['numpy', 'pandas'] })] });
    await warmed(server, 2);
    assert.deepEqual(hellos, [
      ['numpy', 'pandas'],
      ['numpy', 'pandas'],
    ]);
    for (const { metadata } of api.stores.jobs.objects.values()) {
      assert.equal(metadata.labels?.['vivarium.dev/pool'], 'warm');
      assert.equal(metadata.labels['vivarium.dev/execution'], undefined);
    }
  });

  it('serves a short run without a write beside it, and writes it on its Job once, when it has ended', async (t) => {
    const beside: string[] = [];
    let asked = 0;
    let took = Infinity;
    const { api, server } = await warm(t, {}, async (pod) => {
      const { code } = await started(pod);
      took = performance.now() - asked;
      beside.push(...api.requests.slice(before));
      pod.say({ type: 'stdout', text: code });
      pod.say(exited(Buffer.byteLength(code)));
      pod.end({ exitCode: 0, reason: 'Completed' });
    });
    const before = api.requests.length;
    const jobs = new Set(api.jobs);
    asked = performance.now();
    const result = await run(server, { code: 'print(1)', timeout_seconds: 7 });
    assert.deepEqual([result.status, result.stdout, result.timings.scheduled], ['succeeded', 'print(1)', 0]);
    // A refill leaves the run 50 ms.
    const writes = took < 50 ? /^(POST|PATCH|DELETE)/ : /^(PATCH|DELETE)/;
    assert.deepEqual(
      beside.filter((request) => writes.test(request)),
      [],
    );

    await until(() => jobsOf(api, result.execution_id).length === 1);
    const [{ metadata, spec } = { metadata: { name: '' } }] = jobsOf(api, result.execution_id);
    assert.ok(jobs.has(metadata.name), 'a Job that was there before');
    assert.deepEqual(metadata.labels, {
      'app.kubernetes.io/name': 'vivarium-sandbox',
      'app.kubernetes.io/managed-by': 'vivarium',
      'vivarium.dev/replica': 'one',
      'vivarium.dev/role': 'sandbox',
      'vivarium.dev/pool': 'warm',
      'vivarium.dev/execution': result.execution_id,
    });
    assert.deepEqual(metadata.annotations, {
      'vivarium.dev/limits': '{"seconds":7,"cpu":1,"memory_mb":512}',
    });
    const { activeDeadlineSeconds: deadline } = spec as { activeDeadlineSeconds: number };
    const least = 7 + config().fetchSeconds + 105;
    assert.ok(deadline >= least && deadline <= least + 10, `${deadline} s from a Job's creation`);
    await warmed(server, 2);
    assert.deepEqual(of(api, 'PATCH'), [`PATCH /apis/batch/v1/namespaces/sandboxes/jobs/${metadata.name}`]);
    assert.deepEqual(of(api, 'DELETE'), []);
  });

  it('lets every replica find a run of a sandbox that waited', async (t) => {
    const { api, server } = await warm(t);
    const other = await vivarium(api, { replicaName: 'two' });
    const result = await run(server, { code: 'print(1)' });
    await until(() => jobsOf(api, result.execution_id).length === 1);
    // How long it waited only its own replica knows.
    const timings = { ...unknownWaits, ran: 0.01 };
    for (const [{ url }, known] of [
      [server, result],
      [other, { ...result, timings }],
    ] as const) {
      const { body } = await call<ExecutionView>(`${url}/v1/executions/${result.execution_id}`);
      assert.equal(body.state, 'ended');
      assert.deepEqual(body.result, known);
    }
  });

  it('writes a run that goes on for longer than a second meanwhile, so that every replica can end it', async (t) => {
    const { api, server } = await warm(t, {}, endless);
    const other = await vivarium(api, { replicaName: 'two' });
    const running = run(server, { code: 'a' });
    await until(() => of(api, 'PATCH').length === 1);
    const id = [...api.stores.jobs.objects.values()]
      .map(({ metadata }) => metadata.labels?.['vivarium.dev/execution'])
      .find((label) => label !== undefined);
    const url = `${other.url}/v1/executions/${id ?? ''}`;
    const { body } = await call<ExecutionView>(url);
    assert.deepEqual([body.state, body.stdout], ['running', 'still here\n']);
    assert.equal((await call<object>(url, { method: 'DELETE' })).status, 202);
    const result = await running;
    assert.deepEqual([result.execution_id, result.status], [id, 'cancelled'], result.message);
    assert.equal(of(api, 'PATCH').length, 1);
  });

  it('starts a sandbox for each of ten at once that find none', async (t) => {
    const api = await fakeApi(t);
    api.script = async (pod) => {
      await until(() => api.jobs.length >= 10);
      await echo(pod);
    };
    const server = await vivarium(api, { pools: [pool({ min: 0 })], concurrency: 16, refillConcurrency: 1 });
    const codes = Array.from({ length: 10 }, (_, number) => `print(${number})`);
    const results = await Promise.all(codes.map((code) => run(server, { code })));
    assert.deepEqual(
      results.map(({ stdout }) => stdout),
      codes,
    );
    assert.ok(
      (await metricsOf(server)).includes('vivarium_pool_claims_total{pool="warm",outcome="miss"} 10'),
    );
    await until(() => results.every(({ execution_id }) => jobsOf(api, execution_id).length === 1));
  });

  it('serves a burst of five times its size, each with its own output', async (t) => {
    const { server } = await warm(t, { concurrency: 16 });
    const codes = Array.from({ length: 10 }, (_, number) => `print(${number})`);
    const results = await Promise.all(codes.map((code) => run(server, { code })));
    assert.deepEqual(
      results.map(({ stdout }) => stdout),
      codes,
    );
  });

  it('gives way to a sandbox of its own where a run needs another', async (t) => {
    const { api, server } = await warm(t);
    const result = await run(server, { code: 'a', limits: { memory_mb: 300 } });
    const [{ metadata } = { metadata: { name: '' } }] = jobsOf(api, result.execution_id);
    assert.equal(metadata.name, `run-${result.execution_id}`);
    assert.equal(metadata.labels?.['vivarium.dev/pool'], undefined);
    await warmed(server, 2);
    assert.deepEqual(of(api, 'PATCH'), [], 'its Job is its own from the start');
  });

  it('is asked for by its name, and a wrong name is told with those that there are', async (t) => {
    const science = pool({ name: 'science', image: 'science:1', min: 1 });
    const { server } = await warm(t, { pools: [pool(), science] });
    await warmed(server, 1, 'science');
    assert.equal((await run(server, { code: 'a', pool: 'science' })).status, 'succeeded');
    const lines = await metricsOf(server);
    assert.ok(lines.includes('vivarium_pool_claims_total{pool="science",outcome="hit"} 1'));
    const { status, body } = await refused(server, { code: 'a', pool: 'sience' });
    assert.deepEqual([status, body.error.code], [400, 'invalid_request']);
    assert.equal(body.error.message, 'pool: there is no pool "sience" here; there are: warm, science');
  });

  it('is to be seen in the metrics', async (t) => {
    const { server } = await warm(t, {}, endless);
    const stop = new AbortController();
    const running = post<ExecutionResult>(server, { code: 'a' }, { signal: stop.signal });
    running.catch(() => undefined);
    const has = async (...expected: string[]) => {
      const lines = await metricsOf(server);
      return expected.every((line) => lines.includes(line));
    };
    const seen = () =>
      has(
        'vivarium_pool_claims_total{pool="warm",outcome="hit"} 1',
        'vivarium_pool_claims_total{pool="warm",outcome="miss"} 0',
        'vivarium_pool_failures_total{pool="warm"} 0',
        'vivarium_pool_sandboxes{pool="warm",state="ready"} 2',
        'vivarium_pool_sandboxes{pool="warm",state="starting"} 0',
        'vivarium_pool_sandboxes{pool="warm",state="claimed"} 1',
        'vivarium_pool_refill_seconds_count{pool="warm"} 3',
      );
    while (!(await seen()));
    stop.abort();
    while (!(await has('vivarium_pool_sandboxes{pool="warm",state="claimed"} 0')));
    assert.ok((await metricsOf(server)).some((line) => /^vivarium_pool_oldest_seconds{.*} \d/.test(line)));
  });
});
