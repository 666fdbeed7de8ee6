import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Config } from '../../src/config.ts';
import { startPiston } from '../piston/server.ts';
import { exited, started } from './fake-api/scripts.ts';
import { fakeApi, vivarium } from './harness.ts';
import { until } from './until.ts';

const json = { 'content-type': 'application/json' };

async function opened(t: TestContext, changes: Partial<Config> = {}) {
  const api = await fakeApi(t);
  const server = await vivarium(api, { dialects: ['piston:0'], ...changes });
  const url = String(server.dialects.piston);
  const ask = async (method: string, path: string, body?: object, init: RequestInit = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: json,
      ...(body && { body: JSON.stringify(body) }),
      ...init,
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const execute = (more: object = {}, init?: RequestInit) =>
    ask(
      'POST',
      '/api/v2/execute',
      { language: 'python', version: '3.10.0', files: [{ content: 'a' }], ...more },
      init,
    );
  return { api, server, ask, execute };
}

describe('the piston dialect', () => {
  it('asks for what its client asks', async (t) => {
    const { api, execute } = await opened(t);
    api.script = async (pod) => {
      const { code, stdin, args, limits } = await started(pod);
      pod.say({ type: 'stdout', text: JSON.stringify({ code, stdin, args, seconds: limits.seconds }) });
      pod.say(exited(10));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const { body } = await execute({ stdin: 'in', args: ['x', 1], run_timeout: 500 });
    const { run } = body as { run: { stdout: string } };
    assert.deepEqual(JSON.parse(run.stdout), { code: 'a', stdin: 'in\n', args: ['x', '1'], seconds: 0.5 });
    const usual = (await execute()).body as { run: { stdout: string } };
    assert.equal((JSON.parse(usual.run.stdout) as { seconds: number }).seconds, 3);
  });

  it('answers at the paths of the public service, too', async (t) => {
    const { ask } = await opened(t);
    const body = { language: 'py', version: '3.10.0', files: [{ content: 'b' }] };
    const answer = await ask('POST', '/api/v2/piston/execute', body);
    assert.equal((answer.body as { run: { stdout: string } }).run.stdout, 'b');
  });

  it('has no WebSocket', async (t) => {
    const { ask } = await opened(t);
    assert.deepEqual((await ask('GET', '/api/v2/connect')).body, { message: 'Not Found' });
  });

  it('ends a run whose client has gone', async (t) => {
    const { api, execute } = await opened(t);
    const begun = Promise.withResolvers<AbortSignal>();
    api.script = async (pod) => {
      await started(pod);
      begun.resolve(pod.deleted);
    };
    const leave = new AbortController();
    const left = assert.rejects(execute({}, { signal: leave.signal }), { name: 'AbortError' });
    const deleted = await begun.promise;
    leave.abort();
    await left;
    await until(() => deleted.aborted);
  });

  it('takes no more than it has places for, and says when to come again', async (t) => {
    const { api, execute } = await opened(t, { concurrency: 1, queueLength: 0 });
    const enough = Promise.withResolvers<undefined>();
    api.script = async (pod) => {
      await started(pod);
      await enough.promise;
      pod.say(exited(0));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const first = execute();
    await until(() => api.jobs.length === 1);
    const { status, headers, body } = await execute();
    assert.deepEqual([status, headers.get('retry-after')], [429, '1']);
    assert.match((body as { message: string }).message, /^1 runs are going on and 0 requests wait/);
    enough.resolve(undefined);
    assert.equal((await first).status, 200);
  });

  it('knows nobody without a name where callers have names', async (t) => {
    const { ask, execute } = await opened(t, { callerHeader: 'x-user' });
    for (const answer of [
      await execute(),
      await ask('GET', '/api/v2/runtimes'),
      await ask('GET', '/api/v2/packages'),
    ]) {
      assert.equal(answer.status, 401);
      assert.match((answer.body as { message: string }).message, /^The request has no header x-user/);
    }
    assert.equal((await execute({}, { headers: { ...json, 'x-user': 'me' } })).status, 200);
  });

  it('refuses what its settings refuse', async (t) => {
    const { execute } = await opened(t, {
      maxCodeBytes: 2,
      maxTimeoutSeconds: 5,
      maxMemoryMb: 512,
      inputFiles: 1,
    });
    const wrong: [more: object, message: string][] = [
      [{ files: [{ content: 'abc' }] }, 'the code is 3 bytes long; the limit is 2'],
      [{ run_timeout: 5001 }, 'run_timeout cannot exceed the configured limit of 5000'],
      [{ run_memory_limit: 536_870_913 }, 'run_memory_limit cannot exceed the configured limit of 536870912'],
      [{ files: [{ content: '' }, { content: '' }] }, 'files cannot exceed the configured limit of 1'],
    ];
    for (const [more, message] of wrong) {
      const { status, body } = await execute(more);
      assert.deepEqual([status, body], [400, { message }]);
    }
  });

  it('changes no packages unless it may', async (t) => {
    const { ask } = await opened(t);
    for (const method of ['POST', 'DELETE']) {
      const { status, body } = await ask(method, '/api/v2/packages', { language: 'a', version: '1' });
      assert.equal(status, 403);
      assert.match((body as { message: string }).message, /^Packages cannot be changed here/);
    }
  });
});

const bash = { language: 'bash', version: '*', files: [{ content: 'sleep 2; echo $1' }], args: ['x'] };

describe('another language than Python', () => {
  it('is unknown where there is no Piston', async (t) => {
    const { execute } = await opened(t);
    assert.deepEqual((await execute(bash)).body, { message: 'bash-* runtime is unknown' });
  });

  it('waits for a place of its own', async (t) => {
    const standIn = await startPiston();
    t.after(() => standIn.close());
    const { execute } = await opened(t, { pistonUrl: standIn.url, pistonConcurrency: 1, queueLength: 0 });
    const first = execute(bash);
    await until(() => standIn.running() === 1);
    const { status, body } = await execute(bash);
    assert.equal(status, 429);
    assert.match((body as { message: string }).message, /^1 runs are going on/);
    assert.equal((await execute()).status, 200, 'Python has places of its own');
    assert.equal(((await first).body as { run: { stdout: string } }).run.stdout, 'x\n');
  });

  it('is not there while Piston is not, and Python is', async (t) => {
    const standIn = await startPiston();
    await standIn.close();
    const { ask, execute } = await opened(t, { pistonUrl: standIn.url });
    const { status, body } = await execute(bash);
    assert.equal(status, 503);
    assert.match((body as { message: string }).message, /Piston/);
    assert.equal((await execute()).status, 200);
    assert.equal((await ask('GET', '/')).status, 200);
  });
});
