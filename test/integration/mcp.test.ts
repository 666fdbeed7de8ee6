import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Agent, fetch } from 'undici';
import type { Config } from '../../src/config.ts';
import { connect, kinds, nativeTools, resultOf, type ClientKind } from '../e2e/harness/clients.ts';
import { endless, exited, started } from './fake-api/scripts.ts';
import { fakeApi, metricsOf, pool, vivarium, warmed } from './harness.ts';
import { until } from './until.ts';

async function connected(t: TestContext, kind: ClientKind, changes: Partial<Config> = {}) {
  const api = await fakeApi(t);
  const server = await vivarium(api, changes);
  const agent = new Agent();
  const fetchOnce = (url: string | URL, init?: RequestInit) =>
    fetch(url, { ...(init as object), dispatcher: agent }) as Promise<unknown> as Promise<Response>;
  const client = await connect(kind, `${server.url}/mcp`, { fetch: fetchOnce });
  // The server waits for the client's connections when it closes.
  api.clients.unshift(async () => {
    await client.close();
    await agent.destroy();
  });
  return { api, server, client };
}

for (const kind of kinds) {
  describe(`an MCP client, ${kind}`, () => {
    it('lists the tools and calls one', async (t) => {
      const { client } = await connected(t, kind);
      assert.equal(client.era, kind === 'v2 modern' ? 'modern' : 'legacy');
      assert.deepEqual(await client.tools(), nativeTools);
      const answer = await client.call({ code: 'print(1)' });
      assert.equal(answer.isError, false);
      const [{ text }] = answer.content as [{ text: string }];
      assert.match(text, /^succeeded, exit code 0 after 0\.01 s\n\nstdout:\nprint\(1\)$/);
      const result = await client.run({ code: 'print(2)' });
      assert.equal(result.stdout, 'print(2)');
    });

    it('gets a failing program as a result, not as an error', async (t) => {
      const { api, client } = await connected(t, kind);
      api.script = async (pod) => {
        await started(pod);
        pod.say(exited(0, { exit_code: 3 }));
        pod.end({ exitCode: 0, reason: 'Completed' });
      };
      const answer = await client.call({ code: 'a' });
      assert.equal(answer.isError, false);
      assert.equal((answer.structuredContent as { exit_code: number }).exit_code, 3);
    });

    it('gets what a run leaves behind, and hints', async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'vivarium-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const { api, server, client } = await connected(t, kind, { artifactStore: folder });
      api.script = async (pod) => {
        await started(pod);
        pod.say(exited(0, { files: 2, left_out: 1 }));
        for (const [type, path, text] of [
          ['text', 'value.txt', '42'],
          ['output', 'a/b.csv', 'a,b\n'],
        ] as const) {
          pod.say({ type: 'file', kind: type, path, size: text.length });
          pod.say({ type: 'data', base64: Buffer.from(text).toString('base64') });
          pod.say({ type: 'file_end', size: text.length });
        }
        pod.say({ type: 'left_out', path: 'fifo', reason: 'type' });
        pod.say({ type: 'end' });
        pod.end({ exitCode: 0, reason: 'Completed' });
      };
      const answer = await client.call({ code: 'a' });
      const { artifacts, value, hints } = resultOf(answer);
      assert.deepEqual(value, { text: '42', html: null });
      assert.deepEqual(hints, [
        'Nothing was printed; the value of the last expression is in `value`.',
        '1 file that the run left was left out: no regular file (1).',
      ]);
      const [artifact] = artifacts;
      const [, link, content] = answer.content as { uri?: string; text?: string }[];
      assert.equal(link?.uri, `artifact://${artifact?.id}`);
      assert.equal(content?.text, 'a/b.csv:\na,b\n');
      assert.equal((await client.read(link.uri)).text, 'a,b\n');
      assert.equal(await (await fetch(server.url + (artifact?.url ?? ''))).text(), 'a,b\n');
    });

    it('gets an error of the service with its code and what to do', async (t) => {
      const { api, client } = await connected(t, kind);
      api.script = (pod) => {
        pod.wait('ErrImagePull', 'no such host');
      };
      const answer = await client.call({ code: 'a' });
      assert.equal(answer.isError, true);
      const [{ text }] = answer.content as [{ text: string }];
      assert.match(text, /^image_pull_failed: The sandbox cannot start: no such host Check the image/);
      assert.equal((answer._meta?.['vivarium.dev/error'] as { code: string }).code, 'image_pull_failed');
    });

    it('is told of an unknown argument by its name', async (t) => {
      const { api, client } = await connected(t, kind);
      const answer = await client.call({ code: 'a', timeout: 3 }).then(
        (result) => JSON.stringify(result),
        (error: unknown) => String(error),
      );
      assert.match(answer, /timeout/);
      assert.match(answer, /[Uu]nrecognized key/);
      assert.deepEqual(api.jobs, []);
    });

    it('runs in the pool that it names, and is told those that there are', async (t) => {
      const pools = [pool({ name: 'one', min: 1 }), pool({ name: 'two', image: 'two:1', min: 1 })];
      const { server, client } = await connected(t, kind, { pools });
      await warmed(server, 1, 'two');
      assert.equal((await client.run({ code: 'a', pool: 'two' })).stdout, 'a');
      const hits = 'vivarium_pool_claims_total{pool="two",outcome="hit"} 1';
      assert.ok((await metricsOf(server)).includes(hits));
      const answer = await client.call({ code: 'a', pool: 'three' }).then(
        (result) => JSON.stringify(result),
        (error: unknown) => String(error),
      );
      assert.match(answer, /there is no pool .*three.* here; there are: one, two/);
    });

    it('is told how its run fares', async (t) => {
      const { api, client } = await connected(t, kind);
      const go = Promise.withResolvers<undefined>();
      api.script = async (pod) => {
        await started(pod);
        pod.say({ type: 'stdout', text: 'half\nway\n' });
        await go.promise;
        pod.say(exited(9));
        pod.end({ exitCode: 0, reason: 'Completed' });
      };
      const messages: string[] = [];
      const result = await client.run(
        { code: 'a' },
        {
          onProgress: (message) => {
            messages.push(message);
            if (message.endsWith('way')) go.resolve(undefined);
          },
        },
      );
      assert.equal(messages[0], 'queued');
      assert.equal(messages[1], `starting ${result.execution_id}`);
      assert.equal(messages[2], 'running');
      assert.match(messages[3] ?? '', /^running for \d\.\d s: way$/);
    });

    it('cancels its run, and the Job goes', async (t) => {
      const { api, client } = await connected(t, kind);
      api.script = endless;
      const stop = new AbortController();
      const call = client.run({ code: 'a' }, { signal: stop.signal });
      call.catch(() => undefined);
      await until(() => [...api.pods.values()].some((pod) => pod.isAttached));
      stop.abort();
      await assert.rejects(call);
      await until(() => api.jobs.length === 0);
    });

    it('cancels while it waits in the queue', async (t) => {
      const { api, client } = await connected(t, kind, { concurrency: 1 });
      api.script = endless;
      const stops = [new AbortController(), new AbortController()] as const;
      const progress: string[] = [];
      const first = client.run({ code: 'a' }, { signal: stops[0].signal });
      first.catch(() => undefined);
      await until(() => api.jobs.length === 1);
      const second = client.run(
        { code: 'b' },
        { signal: stops[1].signal, onProgress: (message) => progress.push(message) },
      );
      second.catch(() => undefined);
      await until(() => progress.includes('queued'));
      stops[1].abort();
      await assert.rejects(second);
      stops[0].abort();
      await assert.rejects(first);
      await until(() => api.jobs.length === 0);
    });

    it('takes its run with it when it goes', async (t) => {
      const { api, client } = await connected(t, kind);
      api.script = endless;
      const call = client.run({ code: 'a' });
      call.catch(() => undefined);
      await until(() => [...api.pods.values()].some((pod) => pod.isAttached));
      await client.close();
      await assert.rejects(call);
      await until(() => api.jobs.length === 0);
    });
  });
}

describe('a cancellation of the 2025 era', () => {
  it('reaches a run on another replica', async (t) => {
    const api = await fakeApi(t);
    const callerHeader = 'x-user';
    const [first, second] = [
      await vivarium(api, { callerHeader }),
      await vivarium(api, { callerHeader, replicaName: 'two' }),
    ];
    api.script = endless;
    const post = (url: string, body: object, session?: string, caller: string | undefined = 'me') =>
      fetch(`${url}/mcp`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
          ...(session !== undefined && { 'mcp-session-id': session }),
          ...(caller !== '' && { [callerHeader]: caller }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...body }),
      });
    const identity = { name: 'test', version: '1' };
    const initialized = await post(first.url, {
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: identity },
    });
    const session = initialized.headers.get('mcp-session-id') ?? '';
    await initialized.text();
    assert.match(session, /^[0-9a-f-]{36}$/);
    const params = { name: 'run_code', arguments: { code: 'a' } };
    const call = post(first.url, { id: 7, method: 'tools/call', params }, session).then((answer) =>
      answer.text(),
    );
    await until(() => [...api.pods.values()].some((pod) => pod.isAttached));
    const cancelled = { method: 'notifications/cancelled', params: { requestId: 7 } };
    await post(second.url, cancelled, 'another session');
    assert.equal(api.jobs.length, 1, 'a session cannot cancel what is of another');
    await post(second.url, cancelled, session, 'you');
    const nobody = await post(second.url, cancelled, session, '');
    assert.equal(nobody.status, 401);
    assert.match(await nobody.text(), /no header x-user/);
    assert.equal(api.jobs.length, 1, 'nor can a caller, or nobody');
    await post(second.url, cancelled, session);
    await until(() => api.jobs.length === 0);
    assert.match(await call, /"status":"cancelled"/);
  });
});

describe('/mcp', () => {
  it('says that a body is no JSON in its own way', async (t) => {
    const server = await vivarium(await fakeApi(t));
    const answer = await fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    assert.equal(answer.status, 400);
    const body = (await answer.json()) as { jsonrpc: string; error: { code: number; message: string } };
    assert.equal(body.jsonrpc, '2.0');
    assert.equal(body.error.code, -32_700);
    assert.match(body.error.message, /^The body is not JSON/);
  });
});
