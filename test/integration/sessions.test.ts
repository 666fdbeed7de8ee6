import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import type { SessionView } from '../../src/result/session.ts';
import type { FakeApi } from './fake-api/server.ts';
import { staying } from './fake-api/staying.ts';
import { call, type ErrorBody, fakeApi, metricsOf, post, vivarium } from './harness.ts';
import { create, created, end, endsOf, jobsOf, refusedIn, runIn, runsOf } from './sessions-support.ts';
import { until } from './until.ts';

function deadlineOf(api: FakeApi): number {
  return (jobsOf(api)[0]?.spec as { activeDeadlineSeconds: number }).activeDeadlineSeconds;
}

describe('a session', () => {
  it('keeps its interpreter from run to run, in a Job of its own', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const { body: view } = await create<SessionView>(server, { idle_seconds: 1e6, limits: { cpu: 99 } });
    assert.match(view.session_id, /^ses_[a-z2-7]{26}$/);
    assert.deepEqual([view.idle_seconds, view.limits], [600, { seconds: 30, cpu: 2, memory_mb: 512 }]);
    assert.equal(view.hints.length, 2);
    for (const expected of ['cell 1: a\n', 'cell 2: a\n']) {
      const { status, stdout, message } = await runIn(server, view.session_id, 'a');
      assert.deepEqual([status, stdout, message], ['succeeded', expected, 'The code ran to its end.']);
    }
    const [job] = jobsOf(api);
    assert.equal(api.jobs.length, 1);
    assert.match(job?.metadata.name ?? '', /^session-[0-9a-f]{40}$/);
    assert.ok(!JSON.stringify(job).includes(view.session_id), 'the handle is a secret');
    assert.ok((await metricsOf(server)).includes('vivarium_sessions 1'));
  });

  it('ends the interpreter with a run that is cancelled or dies, says so, and goes on', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const id = await created(server);
    await runIn(server, id, 'a');
    const died = await runIn(server, id, 'die');
    assert.match(died.message, /The interpreter of the session ended with it: the files stay, the variables/);
    const running = runIn(server, id, 'wait');
    await until(() => runsOf(api).at(-1)?.code === 'wait');
    await call(`${server.url}/v1/executions/${runsOf(api).at(-1)?.execution_id ?? ''}`, { method: 'DELETE' });
    const { status, stdout, message } = await running;
    assert.deepEqual([status, stdout], ['cancelled', 'cell 1: wait\n']);
    assert.match(message, /cancelled by its caller; what it had written is kept\. The interpreter/);
    assert.equal((await runIn(server, id, 'a')).stdout, 'cell 1: a\n');
    const fresh = await runIn(server, id, 'b', { fresh_interpreter: true });
    assert.deepEqual(
      [fresh.stdout, fresh.message],
      ['program 2: b\n', 'The code ran to its end. The files of the session stay; its variables are gone.'],
    );
  });

  it('says where its interpreter ended between two runs, and then no more', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const id = await created(server);
    const hints: string[][] = [];
    for (const code of ['fade', 'a', 'b', 'die', 'c']) hints.push((await runIn(server, id, code)).hints);
    const [first, second, ...rest] = hints;
    assert.match(second?.join() ?? '', /^The interpreter of the session had ended, with its/);
    assert.deepEqual([first, rest], [[], [[], [], []]]);
  });

  it('does one thing after the other', async (t) => {
    const api = await fakeApi(t);
    const slow = Promise.withResolvers<undefined>();
    api.script = staying(slow.promise);
    const server = await vivarium(api);
    const id = await created(server);
    const first = runIn(server, id, 'slow');
    await until(() => runsOf(api).length === 1);
    const second = runIn(server, id, 'b');
    const listing = call(`${server.url}/v1/sessions/${id}/files`);
    slow.resolve(undefined);
    assert.equal((await first).stdout, 'cell 1: slow\n');
    assert.equal((await second).stdout, 'cell 2: b\n');
    assert.equal((await listing).status, 200);
  });

  it('has files that are written, listed and read between runs', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const files = `${server.url}/v1/sessions/${await created(server)}/files`;
    const put = await fetch(`${files}/data/a%20b.bin`, { method: 'PUT', body: Buffer.of(0, 255, 10) });
    assert.equal(put.status, 200);
    assert.deepEqual((await call(`${files}?path=data`)).body, {
      entries: [{ path: 'data/a b.bin', kind: 'file', size: 3, modified: '1970-01-01T00:00:01.500Z' }],
      left_out: 0,
    });
    const got = await fetch(`${files}/data/a%20b.bin`);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), Buffer.of(0, 255, 10));
    const missing = await call<ErrorBody>(`${files}/nothing`);
    assert.deepEqual([missing.status, missing.body.error.code], [404, 'file_not_found']);
  });

  it('refuses to its runs what is said when it is created', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const id = await created(server);
    const { code, message } = await refusedIn(server, id, { limits: { cpu: 1 }, requirements: ['polars'] });
    assert.equal(code, 'invalid_request');
    assert.match(message, /^requirements, limits: said once/);
  });
});

describe('the end of a session', () => {
  it('is its caller’s: what goes on is cancelled, and the Job says why it ended', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const id = await created(server);
    const going = runIn(server, id, 'wait');
    await until(() => runsOf(api).length === 1);
    const waits = refusedIn(server, id);
    assert.equal((await end(server, id)).status, 200);
    assert.match((await going).message, /cancelled because its session was ended/);
    assert.equal((await waits).code, 'session_ended');
    const [job] = jobsOf(api);
    assert.equal(job?.metadata.annotations?.['vivarium.dev/ended'], 'ended');
    assert.equal(job.metadata.ownerReferences, undefined);
    assert.deepEqual(await refusedIn(server, id), {
      code: 'session_ended',
      message: 'The session has ended, because it was ended by its caller.',
    });
    await until(() => [...api.pods.values()].every((pod) => !pod.isAttached));
    assert.ok((await metricsOf(server)).includes('vivarium_sessions_ended_total{reason="ended"} 1'));
  });

  it('comes with its idle time, and after a run begins anew', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const id = await created(server, { idle_seconds: 2 });
    await runIn(server, id, 'a');
    await until(() => endsOf(api)[0] === 'idle');
    assert.match((await refusedIn(server, id)).message, /not used for its idle time/);
  });

  it('comes with its greatest age, to which the last run is held', async (t) => {
    const api = await fakeApi(t);
    const slow = Promise.withResolvers<undefined>();
    api.script = staying(slow.promise);
    const server = await vivarium(api, { sessionMaxAgeSeconds: 2, sessionIdleSeconds: 2 });
    const id = await created(server);
    const last = runIn(server, id, 'slow');
    await until(async () => (await refusedIn(server, id)).code === 'session_ended');
    slow.resolve(undefined);
    const { status, hints } = await last;
    assert.equal(status, 'succeeded');
    assert.match(hints.join(), /because its session ends then, at its greatest age/);
    await until(() => endsOf(api)[0] === 'too_old');
  });

  it('comes with its sandbox, and the run that lost it says so', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const id = await created(server);
    const { status, message } = await runIn(server, id, 'vanish');
    assert.equal(status, 'out_of_memory');
    assert.match(message, /The session has ended with it: its variables and files are gone/);
    await until(() => endsOf(api)[0] === 'sandbox_lost');
    assert.match((await refusedIn(server, id)).message, /because its sandbox was lost/);
  });

  it('comes with its connection, after the run that goes on', async (t) => {
    const api = await fakeApi(t);
    const slow = Promise.withResolvers<undefined>();
    api.script = staying(slow.promise);
    const server = await vivarium(api);
    const id = await created(server);
    const running = runIn(server, id, 'slow');
    await until(() => runsOf(api).length === 1);
    for (const pod of api.pods.values()) pod.detach();
    await until(() => api.requests.some((request) => request.endsWith('/log')));
    slow.resolve(undefined);
    const { status, stdout, message } = await running;
    assert.deepEqual([status, stdout], ['succeeded', 'cell 1: slow\n']);
    assert.match(message, /The session has ended with it/);
    await until(() => endsOf(api)[0] === 'sandbox_lost');
  });

  it('deletes the Job where it cannot be written down', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api);
    const id = await created(server);
    api.faults.order('PATCH', /jobs/, { status: 403, reason: 'Forbidden' }, 99);
    assert.equal((await end(server, id)).status, 200);
    assert.deepEqual(jobsOf(api), []);
    assert.equal((await refusedIn(server, id)).code, 'not_found');
  });

  it('is told when its server is restarted', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const first = await vivarium(api);
    const id = await created(first);
    await first.close();
    const second = await vivarium(api);
    assert.match((await refusedIn(second, id)).message, /the server that held it was stopped or restarted/);
  });
});

describe('a session that starts', () => {
  it('is not waited for by a server that closes', async (t) => {
    const api = await fakeApi(t);
    api.script = () => undefined;
    const server = await vivarium(api);
    const creating = create<ErrorBody>(server);
    await until(() => api.pods.size === 1);
    await server.close();
    const { status, body } = await creating;
    assert.deepEqual([status, body.error.code], [503, 'shutting_down']);
    assert.deepEqual(api.jobs, []);
  });

  it('is taken away where its caller does not wait', async (t) => {
    const api = await fakeApi(t);
    api.script = () => undefined;
    const server = await vivarium(api);
    const gone = new AbortController();
    const creating = fetch(`${server.url}/v1/sessions`, { method: 'POST', signal: gone.signal });
    await until(() => api.pods.size === 1);
    gone.abort();
    await assert.rejects(creating);
    await until(() => api.jobs.length === 0);
    api.script = staying();
    await created(server);
  });
});

describe('the life of a session', () => {
  it('is extended while it is used, when less than half of it is left', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const short = { maxTimeoutSeconds: 1, defaultTimeoutSeconds: 1, queueWaitSeconds: 1, fetchSeconds: 1 };
    const server = await vivarium(api, { ...short, buildSeconds: 0.1, sessionIdleSeconds: 2 });
    const id = await created(server, { idle_seconds: 2 });
    const before = deadlineOf(api);
    const patches = () => api.requests.filter((request) => request.startsWith('PATCH')).length;
    await runIn(server, id, 'a');
    assert.equal(patches(), 0);
    await until(async () => {
      await runIn(server, id, 'a');
      return patches() > 0;
    }, 20);
    // What it had for its start is not needed any more.
    await until(() => deadlineOf(api) !== before);
    const now = patches();
    for (let run = 0; run < 5; run += 1) await runIn(server, id, 'a');
    assert.equal(patches(), now);
  });
});

describe('the life of a session at first', () => {
  it('has room for a run that waits for a build', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    await created(await vivarium(api, { buildSeconds: 1000 }));
    assert.ok(deadlineOf(api) > 2 * (600 + 1000 + 1000));
  });
});

describe('the limits of sessions', () => {
  it('hold for a caller and for a server, also for those that are made at one time', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api, { sessionsPerCaller: 3, maxSessions: 4, callerHeader: 'x-caller' });
    const asked = Array.from({ length: 5 }, () => create<ErrorBody>(server, {}, { 'x-caller': 'alice' }));
    const answers = await Promise.all(asked);
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 201, 201, 429, 429]);
    await created(server, {}, { 'x-caller': 'bob' });
    const { body } = await create<ErrorBody>(server, {}, { 'x-caller': 'bob' });
    assert.deepEqual(
      [body.error.code, body.error.message],
      ['too_many_sessions', 'This server has 4 sessions, which is as many as it may.'],
    );
  });

  it('leave each caller its own', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await vivarium(api, { callerHeader: 'x-caller' });
    const id = await created(server, {}, { 'x-caller': 'alice' });
    const request = { code: 'a', session_id: id };
    const { status } = await post<ErrorBody>(server, request, { headers: { 'x-caller': 'bob' } });
    assert.equal(status, 404);
    const own = await post<ExecutionResult>(server, request, { headers: { 'x-caller': 'alice' } });
    assert.equal(own.status, 200);
  });
});
