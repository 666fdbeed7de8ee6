import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Agent, fetch } from 'undici';
import type { Config } from '../../src/config.ts';
import { connect, kinds, type ClientKind } from '../e2e/harness/clients.ts';
import { exited, started } from './fake-api/scripts.ts';
import { fakeApi, vivarium } from './harness.ts';
import { until } from './until.ts';

async function connected(
  t: TestContext,
  {
    kind = 'v2 modern',
    path = '/mcp',
    changes = {},
  }: { kind?: ClientKind; path?: string; changes?: Partial<Config> } = {},
) {
  const api = await fakeApi(t);
  const server = await vivarium(api, { ...changes, dialects: ['pistom:0'] });
  const agent = new Agent();
  const fetchOnce = (url: string | URL, init?: RequestInit) =>
    fetch(url, { ...(init as object), dispatcher: agent }) as Promise<unknown> as Promise<Response>;
  const client = await connect(kind, `${String(server.dialects.pistom)}${path}`, { fetch: fetchOnce });
  api.clients.unshift(async () => {
    await client.close();
    await agent.destroy();
  });
  return { api, client, said: async (code: unknown) => client.tool('run_python_code', { code }) };
}

const text = (said: string) => ({ content: [{ type: 'text', text: said }] });

for (const kind of kinds) {
  describe(`Pistom, for ${kind}`, () => {
    it('has one tool, which answers with what was printed', async (t) => {
      const { api, client, said } = await connected(t, { kind });
      assert.deepEqual(await client.tools(), ['run_python_code']);
      api.script = async (pod) => {
        const { code } = await started(pod);
        pod.say({ type: 'stdout', text: `${code}\n` });
        pod.say({ type: 'stderr', text: 'Traceback\n' });
        pod.say(exited(9, { exit_code: 1, stderr_bytes: 10 }));
        pod.end({ exitCode: 0, reason: 'Completed' });
      };
      const { content, isError } = await said('print(2)');
      assert.deepEqual([content, isError ?? false], [text('print(2)\nTraceback\n').content, false]);
    });
  });
}

describe('Pistom', () => {
  it('answers at both paths', async (t) => {
    const { client } = await connected(t, { path: '/mcp/' });
    assert.deepEqual(await client.tools(), ['run_python_code']);
  });

  it('ends code after 10 s, and says so', async (t) => {
    const { api, said } = await connected(t);
    api.script = async (pod) => {
      const { limits } = await started(pod);
      assert.equal(limits.seconds, 10);
      pod.say({ type: 'stdout', text: 'half' });
      pod.say(exited(4, { cause: 'timed_out', exit_code: null }));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    assert.deepEqual((await said('a')).content, [
      {
        type: 'text',
        text: 'half\nError: The code was stopped after 10 s, the most that it may run; what it had printed is kept.',
      },
    ]);
  });

  it('ends code after what the server allows, if that is less', async (t) => {
    const { api, said } = await connected(t, {
      changes: { defaultTimeoutSeconds: 2, maxTimeoutSeconds: 2 },
    });
    api.script = async (pod) => {
      const { limits } = await started(pod);
      assert.equal(limits.seconds, 2);
      pod.say(exited(0, { cause: 'timed_out', exit_code: null }));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const [{ text: told }] = (await said('a')).content as [{ text: string }];
    assert.match(told, /^Error: The code was stopped after 2 s,/);
  });

  it('tells why code did not run', async (t) => {
    const { said } = await connected(t, { changes: { maxCodeBytes: 10 } });
    assert.deepEqual((await said('x'.repeat(11))).content, [
      { type: 'text', text: 'Error: the code is 11 bytes long; the limit is 10' },
    ]);
  });

  it('tells that it is full', async (t) => {
    const { api, said } = await connected(t, { changes: { concurrency: 1, queueLength: 0 } });
    const enough = Promise.withResolvers<undefined>();
    api.script = async (pod) => {
      await started(pod);
      await enough.promise;
      pod.say(exited(0));
      pod.end({ exitCode: 0, reason: 'Completed' });
    };
    const first = said('a');
    await until(() => api.jobs.length === 1);
    const [{ text: full }] = (await said('b')).content as [{ text: string }];
    assert.match(
      full,
      /^Error: 1 runs are going on and 0 requests wait, which is as many as may\. Try again/,
    );
    enough.resolve(undefined);
    assert.deepEqual((await first).content, text('').content);
  });
});
