import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import { staying } from './fake-api/staying.ts';
import { call, type ErrorBody, fakeApi, post } from './harness.ts';
import { created, replica, runIn, runsOf } from './sessions-support.ts';
import { until } from './until.ts';

/** Three replicas, and a session of the first, in which code runs that was asked for at one of them. */
async function running(t: TestContext, asked: 0 | 1, caller = '') {
  const api = await fakeApi(t);
  api.script = staying();
  const changes = caller === '' ? {} : { callerHeader: 'X-Caller' };
  const replicas = [
    await replica(api, 'one', changes),
    await replica(api, 'two', changes),
    await replica(api, 'three', changes),
  ] as const;
  const headers: Record<string, string> = caller === '' ? {} : { 'x-caller': caller };
  const session_id = await created(replicas[0], {}, headers);
  const run = post<ExecutionResult>(replicas[asked], { code: 'wait', session_id }, { headers });
  await until(() => runsOf(api).length === 1);
  const execution = runsOf(api)[0]?.execution_id ?? '';
  return { replicas, session_id, execution, run, headers };
}

describe('a run in a session', () => {
  for (const asked of [0, 1] as const) {
    it(`is cancelled through any replica, asked for at ${asked === 0 ? 'its session’s' : 'another'}`, async (t) => {
      const { replicas, session_id, execution, run } = await running(t, asked);
      const answer = await call(`${replicas[2].url}/v1/executions/${execution}`, { method: 'DELETE' });
      assert.equal(answer.status, 202);
      assert.equal((await run).body.status, 'cancelled');
      assert.equal((await runIn(replicas[2], session_id, 'a')).stdout, 'cell 1: a\n');
    });
  }

  it('is cancelled by its caller alone', async (t) => {
    const { replicas, execution, run, headers } = await running(t, 0, 'alice');
    const cancel = (as: Record<string, string>) =>
      call<ErrorBody>(`${replicas[2].url}/v1/executions/${execution}`, { method: 'DELETE', headers: as });
    assert.equal((await cancel({ 'x-caller': 'bob' })).status, 404);
    assert.equal((await cancel(headers)).status, 202);
    assert.equal((await run).body.status, 'cancelled');
  });

  it('that there is not is not found, though replicas are gone', async (t) => {
    const { replicas, execution, run } = await running(t, 0);
    const unknown = `${replicas[2].url}/v1/executions/${'a'.repeat(26)}`;
    assert.equal((await call(unknown, { method: 'DELETE' })).status, 404);
    await call(`${replicas[0].url}/v1/executions/${execution}`, { method: 'DELETE' });
    await run;
    await replicas[0].close();
    assert.equal((await call(unknown, { method: 'DELETE' })).status, 404);
  });

  for (const asked of [0, 1] as const) {
    it(`is cancelled by a message of the 2025 era to any replica, asked for at ${asked === 0 ? 'its session’s' : 'another'}`, async (t) => {
      const api = await fakeApi(t);
      api.script = staying();
      const replicas = [
        await replica(api, 'one'),
        await replica(api, 'two'),
        await replica(api, 'three'),
      ] as const;
      const session_id = await created(replicas[0]);
      const message = (url: string, body: object) =>
        fetch(`${url}/mcp`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-protocol-version': '2025-11-25',
            'mcp-session-id': 'some client',
          },
          body: JSON.stringify({ jsonrpc: '2.0', ...body }),
        });
      const params = { name: 'run_code', arguments: { code: 'wait', session_id } };
      const run = message(replicas[asked].url, { id: 7, method: 'tools/call', params }).then((answer) =>
        answer.text(),
      );
      await until(() => runsOf(api).length === 1);
      await message(replicas[2].url, { method: 'notifications/cancelled', params: { requestId: 7 } });
      assert.match(await run, /"status":"cancelled"/);
      assert.equal((await runIn(replicas[2], session_id, 'a')).stdout, 'cell 1: a\n');
    });
  }

  it('has a way to be cancelled between replicas that no client has', async (t) => {
    const { replicas, execution, run } = await running(t, 0);
    const answer = await call(`${replicas[0].url}/v1/requests/${'a'.repeat(40)}`, { method: 'DELETE' });
    assert.equal(answer.status, 404);
    await call(`${replicas[0].url}/v1/executions/${execution}`, { method: 'DELETE' });
    await run;
  });

  it('is cancelled for its caller alone, whatever a client says to be', async (t) => {
    const api = await fakeApi(t);
    api.script = staying();
    const server = await replica(api, 'one', { callerHeader: 'X-Caller' });
    const alice = { 'x-caller': 'alice', 'vivarium-forwarded': 'call' };
    const session_id = await created(server, {}, alice);
    const key = { 'vivarium-request': 'a'.repeat(40) };
    const run = post<ExecutionResult>(
      server,
      { code: 'wait', session_id },
      { headers: { ...alice, ...key } },
    );
    await until(() => runsOf(api).length === 1);
    const cancel = async (headers: Record<string, string>) => {
      const url = `${server.url}/v1/requests/${'a'.repeat(40)}`;
      return (await fetch(url, { method: 'DELETE', headers })).status;
    };
    assert.equal(await cancel({ 'vivarium-forwarded': 'call' }), 401);
    assert.equal(await cancel({ ...alice, 'x-caller': 'bob' }), 204);
    const { body } = await call<{ state: string }>(
      `${server.url}/v1/executions/${runsOf(api)[0]?.execution_id ?? ''}`,
      { headers: alice },
    );
    assert.equal(body.state, 'running');
    assert.equal(await cancel(alice), 204);
    assert.equal((await run).body.status, 'cancelled');
  });
});
