import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import { staying } from './fake-api/staying.ts';
import { call, type ErrorBody, fakeApi, post } from './harness.ts';
import { created, end, endsOf, jobsOf, refusedIn, replica, runIn, runsOf } from './sessions-support.ts';
import { until } from './until.ts';

/** Two replicas, and a session of the first. */
async function twoReplicas(t: TestContext, script = staying(), changes = {}) {
  const api = await fakeApi(t);
  api.script = script;
  const owner = await replica(api, 'one', changes);
  const other = await replica(api, 'two', changes);
  return { api, owner, other };
}

describe('a session of another replica', () => {
  it('runs what it is asked for, in the order of both', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    const id = await created(owner);
    assert.equal((await runIn(other, id, 'a')).stdout, 'cell 1: a\n');
    assert.equal((await runIn(owner, id, 'b')).stdout, 'cell 2: b\n');
    const fresh = await runIn(other, id, 'c', { fresh_interpreter: true, timeout_seconds: 7 });
    assert.match(fresh.message, /The files of the session stay; its variables are gone/);
    assert.deepEqual(runsOf(api).at(-1)?.limits.seconds, 7);
    assert.equal(jobsOf(api).length, 1);
  });

  it('streams its frames, and has one execution id on both', async (t) => {
    const { owner, other, api } = await twoReplicas(t);
    const id = await created(owner);
    const response = await fetch(`${other.url}/v1/executions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ code: 'a', session_id: id }),
    });
    const events = [...(await response.text()).matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(events, ['starting', 'started', 'stdout', 'exit', 'result']);
    const result = await runIn(other, id, 'a');
    assert.equal(runsOf(api).at(-1)?.execution_id, result.execution_id);
  });

  it('is cancelled through the replica that was asked, and goes on', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    const id = await created(owner);
    const running = runIn(other, id, 'wait');
    await until(() => runsOf(api).length === 1);
    const execution = runsOf(api)[0]?.execution_id ?? '';
    assert.equal((await call(`${other.url}/v1/executions/${execution}`, { method: 'DELETE' })).status, 202);
    const { status, stdout, message } = await running;
    assert.deepEqual([status, stdout], ['cancelled', 'cell 1: wait\n']);
    assert.match(message, /cancelled by its caller.* The interpreter of the session ended with it/);
    assert.equal((await runIn(other, id, 'a')).stdout, 'cell 1: a\n');
  });

  it('has its run cancelled where the client goes away', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    const id = await created(owner);
    const gone = new AbortController();
    const running = post(other, { code: 'wait', session_id: id }, { signal: gone.signal });
    await until(() => runsOf(api).length === 1);
    gone.abort();
    await assert.rejects(running);
    await until(() => [...api.pods.values()].some(({ heard }) => heard.at(-1)?.type === 'stop'));
    assert.equal((await runIn(owner, id, 'a')).stdout, 'cell 1: a\n');
  });

  it('has its files, and its end', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    const id = await created(owner);
    const files = (server: { url: string }) => `${server.url}/v1/sessions/${id}/files`;
    assert.equal((await fetch(`${files(other)}/a%3Fb.txt`, { method: 'PUT', body: 'text' })).status, 200);
    assert.equal(await (await fetch(`${files(owner)}/a%3Fb.txt`)).text(), 'text');
    assert.equal(await (await fetch(`${files(other)}/a%3Fb.txt`)).text(), 'text');
    assert.deepEqual((await call<object>(files(other))).body, (await call<object>(files(owner))).body);
    const missing = await call<ErrorBody>(`${files(other)}/nothing`);
    assert.deepEqual([missing.status, missing.body.error.code], [404, 'file_not_found']);
    assert.equal((await end(other, id)).status, 200);
    assert.deepEqual(endsOf(api), ['ended']);
    for (const server of [owner, other]) {
      assert.match((await refusedIn(server, id)).message, /ended by its caller/);
    }
  });

  it('is told of its caller, whose it is alone', async (t) => {
    const { owner, other } = await twoReplicas(t, staying(), { callerHeader: 'X-Caller' });
    const id = await created(owner, {}, { 'x-caller': 'alice' });
    const asked = (caller: string) =>
      post<ExecutionResult>(other, { code: 'a', session_id: id }, { headers: { 'x-caller': caller } });
    assert.equal((await asked('alice')).status, 200);
    assert.equal((await asked('bob')).status, 404);
  });

  it('is told plainly to have ended with the restart of its owner', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    const id = await created(owner);
    const running = runIn(other, id, 'wait');
    await until(() => runsOf(api).length === 1);
    await owner.close();
    assert.equal((await running).status, 'cancelled');
    assert.deepEqual(await refusedIn(other, id), {
      code: 'session_ended',
      message: 'The session has ended, because the server that held it was stopped or restarted.',
    });
  });

  it('is out of reach where its owner does not answer, and gone with its Job', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    const id = await created(owner);
    const [job] = jobsOf(api);
    assert.ok(job);
    const annotations = { 'vivarium.dev/url': 'http://127.0.0.1:1' };
    api.stores.jobs.update({ ...job, metadata: { ...job.metadata, annotations } });
    assert.deepEqual(await refusedIn(other, id), {
      code: 'session_unreachable',
      message: 'The server that holds the session does not answer.',
    });
    api.delete('jobs', job);
    assert.equal((await refusedIn(other, id)).code, 'not_found');
  });

  it('is used through its owner alone where that says no URL', async (t) => {
    const { owner, other } = await twoReplicas(t, staying(), { advertiseUrl: '' });
    const { code, message } = await refusedIn(other, await created(owner));
    assert.equal(code, 'session_unreachable');
    assert.match(message, /^The session is on the server one, and only that can reach it/);
  });

  it('is not passed on a second time', async (t) => {
    const { owner, other } = await twoReplicas(t);
    const id = await created(owner);
    const headers = { 'vivarium-forwarded': 'call' };
    const { status } = await post<ErrorBody>(other, { code: 'a', session_id: id }, { headers });
    assert.equal(status, 404);
  });

  it('counts for its caller', async (t) => {
    const { owner, other } = await twoReplicas(t, staying(), { sessionsPerCaller: 1 });
    const id = await created(owner);
    const { body } = await call<ErrorBody>(`${other.url}/v1/sessions`, { method: 'POST' });
    assert.equal(body.error.code, 'too_many_sessions');
    await end(owner, id);
    await created(other);
  });
});

describe('the session of a name', () => {
  const { signal } = new AbortController();
  const call = { caller: '', signal };

  it('is one, however many ask for it on however many replicas', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    assert.equal(await owner.app.sessions.findNamed('client', call), undefined);
    const servers = [owner, other, owner, other];
    const handles = await Promise.all(servers.map(({ app }) => app.sessions.named('client', call)));
    assert.equal(new Set(handles).size, 1);
    assert.equal(jobsOf(api).length, 1);
    const [handle = ''] = handles;
    assert.equal(await other.app.sessions.findNamed('client', call), handle);
    const outputs = await Promise.all(servers.map((server) => runIn(server, handle, 'a')));
    assert.deepEqual(
      outputs.map(({ stdout }) => stdout).toSorted(),
      [1, 2, 3, 4].map((run) => `cell ${run}: a\n`),
    );
    assert.notEqual(await owner.app.sessions.named('another', call), handle);
    assert.notEqual(await owner.app.sessions.named('client', { caller: 'bob', signal }), handle);
  });

  it('is made anew where it has ended, by whoever is asked', async (t) => {
    const { api, owner, other } = await twoReplicas(t);
    const handle = await owner.app.sessions.named('client', call);
    await runIn(owner, handle, 'a');
    await owner.app.sessions.end(handle, call);
    assert.equal(await owner.app.sessions.findNamed('client', call), undefined);
    assert.equal(await other.app.sessions.named('client', call), handle);
    assert.equal((await runIn(owner, handle, 'a')).stdout, 'cell 1: a\n');
    assert.equal((await runIn(owner, handle, 'vanish')).status, 'out_of_memory');
    await until(() => endsOf(api)[0] === 'sandbox_lost');
    await owner.app.sessions.named('client', call);
    assert.equal((await runIn(other, handle, 'a')).stdout, 'cell 1: a\n');
    assert.equal(jobsOf(api).length, 1);
  });
});
