import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { errorKinds } from '../../src/result/errors.ts';
import { executionResult, type ExecutionResult } from '../../src/result/execution-result.ts';
import { endless, exited, started } from './fake-api/scripts.ts';
import { call, fakeApi, post, refused, run, vivarium, type ErrorBody } from './harness.ts';
import { until } from './until.ts';

interface SentEvent {
  event: string;
  data: Record<string, unknown>;
}

function eventsOf(stream: string): SentEvent[] {
  return stream
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => {
      const [first = '', second = ''] = block.split('\n');
      return {
        event: first.slice('event: '.length),
        data: JSON.parse(second.slice('data: '.length)) as Record<string, unknown>,
      };
    });
}

/** As fetch, with a Host of choice. */
function ask(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers, agent: false }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body });
      }, reject);
    })
      .on('error', reject)
      .end();
  });
}

describe('POST /v1/executions', () => {
  it('answers with the whole result', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    const request = {
      code: 'print("ä")\0',
      stdin: 'in',
      args: ['-x'],
      env: { A: '1' },
      timeout_seconds: 1000,
      limits: { cpu: 0.5, memory_mb: 128 },
    };
    const { execution_id, timings, ...result } = await run(server, request);
    assert.match(execution_id, /^[a-z2-7]{26}$/);
    assert.deepEqual(result, {
      status: 'succeeded',
      exit_code: 0,
      signal: null,
      stdout: 'print("ä")\0',
      stderr: '',
      stdout_base64: null,
      stderr_base64: null,
      stdout_bytes: 12,
      stderr_bytes: 0,
      truncated: false,
      message: 'The code ran to its end.',
      value: null,
      artifacts: [],
      left_out: { total: 0, files: [] },
      hints: ['timeout_seconds was lowered from 1000 to 300 s, the most that this server allows.'],
    });
    assert.equal(timings.ran, 0.01);
    const { environment, ...waits } = timings;
    assert.equal(environment, null);
    for (const seconds of Object.values(waits)) assert.ok(seconds !== null && seconds >= 0 && seconds < 5);
    const asked = await [...api.pods.values()][0]?.asked;
    assert.deepEqual(asked, {
      type: 'run',
      execution_id,
      code: request.code,
      stdin: 'in',
      args: ['-x'],
      env: { A: '1' },
      environment: null,
      mode: 'single',
      limits: {
        seconds: 300,
        output_bytes: 1_048_576,
        processes: 128,
        file_bytes: 268_435_456,
        memory_bytes: null,
        artifact_files: 100,
        artifact_bytes: 134_217_728,
      },
    });
  });

  it('lets nobody choose the id of a run', async (t) => {
    const server = await vivarium(await fakeApi(t));
    const id = 'a'.repeat(26);
    const { body } = await post<ExecutionResult>(
      server,
      { code: 'a' },
      { headers: { 'vivarium-forwarded': id } },
    );
    assert.equal(body.status, 'succeeded');
    assert.notEqual(body.execution_id, id);
  });

  it('sends code of a megabyte whole', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    let got = '';
    api.script = async (pod) => {
      got = (await started(pod)).code;
      pod.say(exited(0));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const code = '\u0001ä😀'.repeat(149_000);
    assert.equal((await run(server, { code })).status, 'succeeded');
    assert.ok(got === code);
  });

  it('streams what happens as it happens', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    const next = Promise.withResolvers<undefined>();
    api.script = async (pod) => {
      await started(pod);
      pod.say({ type: 'stdout', text: 'one\n' });
      await next.promise;
      pod.say({ type: 'stderr', base64: '/w==' });
      pod.say({ ...exited(4), stderr_bytes: 1 });
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const response = await fetch(`${server.url}/v1/executions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{"code":"a"}',
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    let stream = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      stream += Buffer.from(chunk).toString('utf8');
      if (stream.includes('one')) next.resolve(undefined);
    }
    const events = eventsOf(stream);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['starting', 'started', 'stdout', 'stderr', 'exit', 'result'],
    );
    assert.deepEqual(events[2]?.data, { seq: 1, type: 'stdout', text: 'one\n' });
    const result = executionResult.parse(events.at(-1)?.data);
    assert.equal(result.stderr_base64, '/w==');
    assert.equal(result.execution_id, events[0]?.data.execution_id);
  });

  it('streams an error as the last event once it has begun', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.script = (pod) => {
      pod.wait('ErrImagePull', 'no such host');
    };
    const response = await fetch(`${server.url}/v1/executions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{"code":"a"}',
    });
    const events = eventsOf(await response.text());
    assert.deepEqual(
      events.map(({ event }) => event),
      ['starting', 'error'],
    );
    assert.equal(events[1]?.data.code, 'image_pull_failed');
  });

  it('refuses what cannot be asked, and says what is wrong', async (t) => {
    const server = await vivarium(await fakeApi(t), {
      maxCodeBytes: 100,
      maxStdinBytes: 100,
      inputBytes: 100,
    });
    const table: [request: string | object, status: number, code: string, message: RegExp][] = [
      ['{"code":', 400, 'invalid_request', /^The body is not JSON: /],
      ['7', 400, 'invalid_request', /JSON/],
      [{}, 400, 'invalid_request', /^code: Invalid input: expected string, received undefined$/],
      [{ code: 'a', tmieout: 1 }, 400, 'invalid_request', /^body: Unrecognized key: "tmieout"$/],
      [{ code: 'a', limits: { gpu: 1 } }, 400, 'invalid_request', /^limits: Unrecognized key: "gpu"$/],
      [{ code: 'a'.repeat(101) }, 400, 'invalid_request', /101 bytes long; the limit is 100$/],
      [{ code: 'a'.repeat(2_000_000) }, 413, 'too_large', /^The body is larger than 1049976 bytes\.$/],
    ];
    for (const [request, status, code, message] of table) {
      const answer = await post<ErrorBody>(server, request);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.body.error.code, code);
      assert.match(answer.body.error.message, message);
      assert.equal(answer.body.error.hint, errorKinds[code as 'too_large'].hint);
    }
  });

  it('asks to come back when the queue is full or slow', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api, { concurrency: 1, queueLength: 1, queueWaitSeconds: 1 });
    api.script = endless;
    const leave = new AbortController();
    const held = post(server, { code: 'a' }, { signal: leave.signal }).catch(() => undefined);
    await until(() => api.jobs.length === 1);
    const answers = await Promise.all([refused(server, { code: 'b' }), refused(server, { code: 'c' })]);
    const [full, late] = answers.sort((one, other) => one.status - other.status);
    assert.equal(full.status, 429);
    assert.equal(full.body.error.code, 'queue_full');
    assert.equal(full.headers.get('retry-after'), '1');
    assert.equal(full.body.error.retry_after_seconds, 1);
    assert.equal(late.status, 503);
    assert.equal(late.body.error.code, 'queue_timeout');
    assert.equal(late.headers.get('retry-after'), '1');
    leave.abort();
    await held;
    await until(() => api.jobs.length === 0);
  });

  it('ends the run of a client that goes away', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.script = endless;
    for (const accept of ['application/json', 'text/event-stream']) {
      const leave = new AbortController();
      const gone = post(server, { code: 'a' }, { signal: leave.signal, headers: { accept } });
      await until(() => [...api.pods.values()].some((pod) => pod.isAttached));
      leave.abort();
      await assert.rejects(gone);
      await until(() => api.jobs.length === 0);
      api.pods.clear();
    }
  });
});

describe('/v1/executions/{id}', () => {
  it('cancels a run', async (t) => {
    const api = await fakeApi(t);
    const server = await vivarium(api);
    api.script = endless;
    const running = post<ExecutionResult>(server, { code: 'a' });
    await until(() => [...api.pods.values()].some((pod) => pod.isAttached));
    const id = api.jobs[0]?.replace('run-', '') ?? '';
    const url = `${server.url}/v1/executions/${id}`;
    assert.deepEqual((await call<object>(url, { method: 'DELETE' })).body, { execution_id: id });
    const { status, body } = await running;
    assert.equal(status, 200);
    assert.equal(body.status, 'cancelled');
    assert.equal(body.message, 'The run was cancelled by its caller; what it had written is kept.');
    await until(() => api.jobs.length === 0);
  });

  it('does not know an id that there is not, or that is none', async (t) => {
    const server = await vivarium(await fakeApi(t));
    for (const method of ['GET', 'DELETE']) {
      const unknown = await call<ErrorBody>(`${server.url}/v1/executions/${'a'.repeat(26)}`, { method });
      assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'not_found']);
      const bad = await call<ErrorBody>(`${server.url}/v1/executions/a,b=c`, { method });
      assert.deepEqual([bad.status, bad.body.error.code], [400, 'invalid_request']);
    }
  });
});

describe('all doors', () => {
  it('say where there is nothing', async (t) => {
    const server = await vivarium(await fakeApi(t));
    const { status, body } = await call<ErrorBody>(`${server.url}/v2/none`);
    assert.equal(status, 404);
    assert.equal(body.error.code, 'not_found');
    assert.equal(body.error.message, 'There is nothing at GET /v2/none.');
  });

  it('refuse the names of other hosts, against DNS rebinding', async (t) => {
    const server = await vivarium(await fakeApi(t));
    for (const path of ['/openapi.json', '/v1/executions/x', '/mcp']) {
      assert.equal((await ask(server.url + path, { host: 'evil.example' })).status, 403, path);
      assert.equal((await ask(server.url + path, { origin: 'http://evil.example' })).status, 403, path);
    }
    assert.equal((await ask(`${server.url}/openapi.json`, { origin: 'http://localhost:3000' })).status, 200);
    assert.equal((await ask(`${server.url}/openapi.json`, { host: 'localhost:1' })).status, 200);
  });

  it('take any host where the operator says so', async (t) => {
    const server = await vivarium(await fakeApi(t), { allowedHosts: ['*'] });
    assert.equal((await ask(`${server.url}/openapi.json`, { host: 'any.example' })).status, 200);
  });
});
