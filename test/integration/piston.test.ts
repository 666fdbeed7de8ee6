import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { Config } from '../../src/config.ts';
import { connect } from '../e2e/harness/clients.ts';
import { startPiston, type PistonOptions } from '../piston/server.ts';
import { fakeApi, metricsOf, post, refused, run, vivarium } from './harness.ts';
import { until as eventually } from '../e2e/harness/until.ts';
import { until } from './until.ts';

const c = (code: string) => ({ language: 'c', code });
const bash = (code: string) => ({ language: 'bash', code });

const patient: PistonOptions = { overrides: { bash: { run_timeout: 10_000 } } };

/** Vivarium with a stand-in of Piston behind it. */
async function withPiston(t: TestContext, options: PistonOptions = {}, changes: Partial<Config> = {}) {
  const piston = await startPiston(options);
  t.after(() => piston.close());
  const api = await fakeApi(t);
  const server = await vivarium(api, { pistonUrl: piston.url, pistonToken: 'Bearer secret', ...changes });
  return { api, piston, server };
}

/** What a server does that is no Piston. */
async function withFault(t: TestContext, status: number, body: string, changes: Partial<Config> = {}) {
  const upstream = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.after(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const pistonUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  return vivarium(await fakeApi(t), { pistonUrl, ...changes });
}

describe('runs in other languages', () => {
  it('run on the Piston, and Python does not', async (t) => {
    const { api, piston, server } = await withPiston(t);
    const result = await run(server, {
      ...bash('cat; echo "$@"; cat mounts/a/b'),
      stdin: 'in\n',
      args: ['x', 'y z'],
      files: [{ path: 'a/b', content: 'file' }],
    });
    assert.deepEqual(
      [result.status, result.exit_code, result.stdout, result.stderr, result.message],
      ['succeeded', 0, 'in\nx y z\nfile', '', 'The code ran to its end.'],
    );
    assert.equal(api.jobs.length, 0);
    assert.equal(piston.seen.at(-1)?.headers.authorization, 'Bearer secret');
    assert.ok((result.timings.ran ?? 0) > 0);
    assert.equal((await run(server, { code: 'print(1)', language: 'py3' })).stdout, 'print(1)');
    assert.equal(api.jobs.length, 1);
    const lines = await metricsOf(server);
    for (const backend of ['piston', 'kubernetes'])
      assert.ok(lines.includes(`vivarium_runs_total{backend="${backend}",status="succeeded"} 1`), backend);
  });

  it('are compiled first, and told apart from what does not compile', async (t) => {
    const { server } = await withPiston(t);
    const result = await run(server, c('#include <stdio.h>\nint main(void){puts("c");return 3;}'));
    assert.deepEqual([result.status, result.exit_code, result.stdout], ['failed', 3, 'c\n']);
    const broken = await run(server, c('int main(void){return x;}'));
    assert.deepEqual([broken.status, broken.exit_code], ['failed', 1]);
    assert.match(broken.message, /^The code does not compile: the compiler exited with code 1/);
    assert.match(broken.stderr, /'x' undeclared/);
    const fault = await run(server, c('int main(void){*(volatile int*)0=1;}'));
    assert.deepEqual([fault.status, fault.exit_code, fault.signal], ['failed', null, 'SIGSEGV']);
    assert.equal(fault.message, 'The code was ended by SIGSEGV, an invalid memory access.');
  });

  it('end at their limit, which may be lower than what was asked for', async (t) => {
    const { server } = await withPiston(t, { overrides: { bash: { run_timeout: 1500 } } });
    const result = await run(server, { ...bash('echo before; sleep 9'), timeout_seconds: 5 });
    assert.deepEqual([result.status, result.exit_code, result.stdout], ['timed_out', null, 'before\n']);
    assert.match(result.message, /^The code was stopped after its limit of 1\.5 s/);
    assert.deepEqual(result.hints, [
      'timeout_seconds was lowered to 1.5 s, the most that Piston allows bash.',
    ]);
    const own = await run(server, { ...bash('sleep 9'), timeout_seconds: 0.2 });
    assert.match(own.message, /^The code was stopped after its limit of 0\.2 s/);
    assert.deepEqual(own.hints, []);
  });

  it('end when they take too much memory', async (t) => {
    const { server } = await withPiston(t);
    // What is held for a while is seen for certain.
    const code = 'a=$(head -c 150000000 /dev/zero | tr "\\0" x); sleep 2; echo ${#a}';
    const result = await run(server, { ...bash(code), timeout_seconds: 3, limits: { memory_mb: 64 } });
    assert.equal(result.status, 'out_of_memory', JSON.stringify(result));
    assert.match(result.message, /more memory than its limit of 64 MiB/);
  });

  it('are cut where Piston keeps no more, and say that nobody counted', async (t) => {
    const { server } = await withPiston(t);
    const result = await run(
      server,
      bash('echo first; sleep 1; head -c 3000 /dev/zero | tr "\\0" x; sleep 5'),
    );
    assert.deepEqual(
      [result.status, result.exit_code, result.stdout, result.stdout_bytes, result.truncated],
      ['failed', null, 'first\n', 6, true],
    );
    assert.match(result.message, /^The code was stopped: it wrote more to stdout than this Piston keeps/);
    assert.ok(
      result.hints.some((hint) => hint.startsWith('stdout is not whole: ')),
      result.hints.join(),
    );
  });

  it('are kept from what Vivarium itself keeps no more of', async (t) => {
    const { server } = await withPiston(t, { limits: { output_max_size: 100_000 } }, { outputBytes: 10 });
    const result = await run(server, bash('echo 0123456789abcdef'));
    assert.deepEqual([result.stdout, result.stdout_bytes, result.truncated], ['0123456789', 17, true]);
  });

  it('are refused where they ask for what Piston has not, and before it is asked', async (t) => {
    const { piston, server } = await withPiston(t);
    const { body } = await refused(server, { ...bash(''), env: { A: 'b' } });
    assert.equal(body.error.code, 'invalid_request');
    assert.match(
      body.error.message,
      /env: environment variables can be set for Python only: use args or stdin; the language is "bash"/,
    );
    const other = await refused(server, { code: '', language: 'ruby' });
    assert.deepEqual(
      [other.status, other.body.error.message],
      [400, 'language: there is no "ruby" here; there are: python, bash, c, c++.'],
    );
    assert.ok(piston.seen.every(({ path }) => path.endsWith('/runtimes')));
    const large = await refused(server, bash(`# ${'x'.repeat(110_000)}`));
    assert.deepEqual([large.status, large.body.error.code], [413, 'too_large']);
  });

  it('end with their caller; Piston goes on', async (t) => {
    const { piston, server } = await withPiston(t, patient);
    const leaving = new AbortController();
    const left = post(server, bash('sleep 9'), { signal: leaving.signal });
    await until(() => piston.running() === 1);
    leaving.abort();
    await assert.rejects(left);
    await eventually(
      'the run is cancelled',
      async () =>
        (await metricsOf(server)).includes('vivarium_runs_total{backend="piston",status="cancelled"} 1'),
      10,
    );
    assert.equal(piston.running(), 1);
  });

  it('can be cancelled by their id, and asked for', async (t) => {
    const { server } = await withPiston(t, patient);
    const response = await fetch(`${server.url}/v1/executions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify(bash('echo lost; sleep 9')),
    });
    let events = '';
    let id: string | undefined;
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      events += chunk;
      if (id !== undefined || !events.includes('event: started')) continue;
      id = /"execution_id":"(\w+)"/.exec(events)?.[1] ?? '';
      const view = (await (await fetch(`${server.url}/v1/executions/${id}`)).json()) as { state: string };
      assert.equal(view.state, 'running');
      await fetch(`${server.url}/v1/executions/${id}`, { method: 'DELETE' });
    }
    assert.match(events, /"status":"cancelled"/);
    assert.match(events, /what it had written is lost, and Piston goes on with it to its limits/);
  });

  it('wait for a place of their own, in a bounded queue', async (t) => {
    const { piston, server } = await withPiston(t, {}, { pistonConcurrency: 1, queueLength: 1 });
    const first = run(server, bash('sleep 2; echo 1'));
    await until(() => piston.running() === 1);
    assert.ok((await metricsOf(server)).includes('vivarium_piston_running 1'));
    const second = run(server, bash('echo 2'));
    await eventually(
      'the queue is full',
      async () => (await post(server, bash('echo 3'))).status === 429,
      10,
    );
    assert.equal((await run(server, { code: 'print(1)' })).stdout, 'print(1)');
    assert.deepEqual([(await first).stdout, (await second).stdout], ['1\n', '2\n']);
  });

  it('may end when the server does', async (t) => {
    const { piston, server } = await withPiston(t, {}, { drainSeconds: 5 });
    const going = run(server, bash('sleep .5; echo 1'));
    await until(() => piston.running() === 1);
    await server.close();
    assert.equal((await going).stdout, '1\n');
  });

  it('are asked for by MCP clients, too', async (t) => {
    const { api, server } = await withPiston(t);
    const client = await connect('v2 modern', `${server.url}/mcp`);
    api.clients.unshift(() => client.close());
    const answer = await client.call({ code: 'echo hi', language: 'sh' });
    assert.equal((answer.structuredContent as { stdout: string }).stdout, 'hi\n');
  });
});

describe('a Piston that is not there', () => {
  it('does not keep the server from starting, and is missed by its own runs alone', async (t) => {
    const piston = await startPiston();
    const server = await vivarium(await fakeApi(t), { pistonUrl: piston.url });
    await piston.close();
    const { status, body } = await refused(server, bash('echo 1'));
    assert.deepEqual([status, body.error.code, body.error.retryable], [503, 'piston_unavailable', true]);
    assert.equal((await run(server, { code: 'print(1)' })).status, 'succeeded');
  });

  const faults: [string, number, string, number, string][] = [
    ['another service', 404, '<html></html>', 502, 'piston_failed'],
    ['an answer of another shape', 200, '{"runtimes":[]}', 502, 'piston_failed'],
    ['an empty 500', 500, '', 502, 'piston_failed'],
    ['a proxy before nothing', 503, 'no', 503, 'piston_unavailable'],
  ];
  for (const [name, status, text, http, code] of faults) {
    it(`is named as such: ${name}`, async (t) => {
      const answer = await refused(await withFault(t, status, text), bash('echo 1'));
      assert.deepEqual([answer.status, answer.body.error.code], [http, code]);
    });
  }
});
