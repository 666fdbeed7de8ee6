import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exited, started } from './fake-api/scripts.ts';
import { fakeApi, refused, run, vivarium } from './harness.ts';
import { until } from './until.ts';

describe('an API server with faults', () => {
  it('runs code without any', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    const result = await run(server, { code: 'print(1)' });
    assert.equal(result.status, 'succeeded', result.message);
    assert.equal(result.stdout, 'print(1)');
    assert.equal(api.jobs.length, 1, 'an ended Job goes by its TTL');
  });

  for (const status of [429, 500, 502, 503, 504]) {
    it(`asks again after ${status}`, async (t) => {
      const api = await fakeApi(t);
      const server = await vivarium(api);
      api.faults.order('POST', /\/jobs$/, { status }, 2);
      assert.equal((await run(server, { code: 'a' })).stdout, 'a');
    });
  }

  it('adopts the Job that a lost answer made', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.faults.order('POST', /\/jobs$/, 'reset after');
    assert.equal((await run(server, { code: 'a' })).stdout, 'a');
    assert.equal(api.jobs.length, 1);
    assert.equal(
      api.requests.filter((request) => request.startsWith('POST') && request.endsWith('/jobs')).length,
      2,
    );
  });

  it('makes the Job again whose request was lost', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.faults.order('POST', /\/jobs$/, 'reset');
    assert.equal((await run(server, { code: 'a' })).stdout, 'a');
  });

  it('attaches again', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.faults.order('CONNECT', /\/attach$/, { status: 500 });
    api.faults.order('CONNECT', /\/attach$/, 'reset');
    assert.equal((await run(server, { code: 'a' })).stdout, 'a');
  });

  for (const [what, exitCode, reason, code, message] of [
    ['because nobody was there', 0, 'Completed', 'cluster_unreachable', /^The WebSocket failed/],
    ['for another reason', 137, 'OOMKilled', 'sandbox_failed', /lack of memory/],
  ] as const) {
    it(`tells why the agent ended to which the way broke: ${what}`, async (t) => {
      const api = await fakeApi(t);
      const server = await vivarium(api);
      api.script = (pod) => {
        pod.start();
      };
      const attach = /\/attach$/;
      api.faults.order('CONNECT', attach, 'reset');
      api.faults.order('CONNECT', attach, { status: 400, reason: 'BadRequest', message: 'it has ended' });
      const answer = refused(server, { code: 'a' });
      await until(() => api.requests.some((request) => request.endsWith('/attach')));
      for (const pod of api.pods.values()) pod.end({ exitCode, reason });
      const { error } = (await answer).body;
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.ok(error.retryable);
    });
  }

  it('gives up in time when the API server is away for good', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { startTimeoutSeconds: 1 });
    const began = performance.now();
    api.faults.order('POST', /./, 'reset', Infinity);
    api.faults.order('GET', /./, 'reset', Infinity);
    api.faults.order('DELETE', /./, 'reset', Infinity);
    const { status, body } = await refused(server, { code: 'a' });
    api.faults.clear();
    assert.equal(body.error.code, 'cluster_unreachable');
    assert.equal(status, 503);
    assert.ok(body.error.retryable);
    assert.ok(performance.now() - began < 15_000);
  });

  it('says that a Job could not be made', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.faults.order('POST', /\/jobs$/, {
      status: 403,
      reason: 'Forbidden',
      message: 'jobs is forbidden: no',
    });
    const { body } = await refused(server, { code: 'a' });
    assert.equal(body.error.code, 'forbidden');
    assert.equal(body.error.message, 'The API server refuses: jobs is forbidden: no');
    api.faults.order('POST', /\/jobs$/, {
      status: 403,
      message: 'forbidden: exceeded quota: q, requested: count/jobs=1',
    });
    assert.equal((await refused(server, { code: 'a' })).body.error.code, 'quota_exceeded');
  });

  it('lists again when a watch is told that its version is forgotten', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    assert.equal((await run(server, { code: 'a' })).stdout, 'a');
    const lists = () => api.requests.filter((request) => /^GET .*\/pods$/.test(request)).length;
    const before = lists();
    api.watches.expire('pods');
    assert.equal((await run(server, { code: 'b' })).stdout, 'b');
    await until(() => lists() >= before + 2);
  });

  it('lists again when a watch breaks, and misses nothing', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    await until(() => api.watches.count('pods') === 1);
    api.script = async (pod) => {
      api.watches.cut('pods');
      api.watches.cut('events');
      const { code } = await started(pod);
      pod.say({ type: 'stdout', text: code });
      pod.say(exited(1));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    assert.equal((await run(server, { code: 'a' })).stdout, 'a');
  });
});
