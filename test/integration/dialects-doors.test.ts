import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { Agent, fetch } from 'undici';
import type { Config } from '../../src/config.ts';
import { dialects } from '../../src/serve/dialects/all.ts';
import type { Server } from '../../src/server.ts';
import { connect } from '../e2e/harness/clients.ts';
import type { FakeApi } from './fake-api/server.ts';
import { fakeApi, vivarium } from './harness.ts';

/** Every dialect, on free ports. */
const all = dialects.map(({ name }) => `${name}:0`);

/** Paths that only dialects know. */
const paths: [method: string, path: string][] = [
  ['GET', '/'],
  ['POST', '/api/v2/execute'],
  ['GET', '/api/v2/runtimes'],
  ['GET', '/api/v2/piston/runtimes'],
  ['POST', '/v1/execute'],
  ['POST', '/v1/parse-custom-tool'],
  ['GET', '/artifacts/a.txt'],
  ['POST', '/execute'],
  ['GET', '/tools'],
  ['POST', '/exec'],
  ['GET', '/files/a'],
  ['POST', '/run_code'],
  ['POST', '/mcp/mcp'],
];

const nativeTools = [
  'run_code',
  'list_packages',
  'list_runtimes',
  'create_session',
  'end_session',
  'list_files',
  'read_file',
  'write_file',
];

async function toolsAt(t: TestContext, api: FakeApi, url: string): Promise<string[]> {
  const agent = new Agent();
  const fetchOnce = (to: string | URL, init?: RequestInit) =>
    fetch(to, { ...(init as object), dispatcher: agent }) as Promise<unknown> as Promise<Response>;
  const client = await connect('v2 modern', url, { fetch: fetchOnce });
  api.clients.unshift(async () => {
    await client.close();
    await agent.destroy();
  });
  return client.tools();
}

async function opened(
  t: TestContext,
  changes: Partial<Config> = {},
): Promise<{ api: FakeApi; server: Server }> {
  const api = await fakeApi(t);
  return { api, server: await vivarium(api, changes) };
}

function statusWith(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers, agent: false }, (response) => {
      text(response).then(() => {
        resolve(response.statusCode ?? 0);
      }, reject);
    })
      .on('error', reject)
      .end();
  });
}

describe('the native door', () => {
  for (const given of [[], all]) {
    it(`has its own tools and paths alone, with ${given.length} dialects`, async (t) => {
      const { api, server } = await opened(t, { dialects: given });
      assert.deepEqual((await toolsAt(t, api, `${server.url}/mcp`)).sort(), [...nativeTools].sort());
      for (const [method, path] of paths) {
        const response = await fetch(server.url + path, {
          method,
          headers: { 'content-type': 'application/json' },
          ...(method === 'POST' && { body: '{}' }),
        });
        assert.equal(response.status, 404, `${method} ${path}`);
        assert.equal(((await response.json()) as { error: { code: string } }).error.code, 'not_found');
      }
    });
  }
});

describe('dialects', () => {
  it('do not listen where none is set', async (t) => {
    const { server } = await opened(t);
    assert.deepEqual(server.dialects, {});
  });

  it('listen on a port of their own each, and the server is ready as ever', async (t) => {
    const { server } = await opened(t, { dialects: all });
    assert.deepEqual(
      Object.keys(server.dialects),
      dialects.map(({ name }) => name),
    );
    const urls = [server.url, server.probesUrl, ...Object.values(server.dialects)];
    assert.equal(new Set(urls).size, urls.length);
    assert.equal((await fetch(`${server.probesUrl}/readyz`)).status, 200);
  });

  it('answer requests to the allowed hosts alone', async (t) => {
    const { server } = await opened(t, { dialects: all });
    for (const [name, url] of Object.entries(server.dialects)) {
      assert.equal(await statusWith(url, { host: 'evil.example' }), 403, name);
      assert.equal(await statusWith(url, { origin: 'http://evil.example' }), 403, name);
    }
  });

  it('refuse a body of more values than a request has use for, and so does the native door', async (t) => {
    const { server } = await opened(t, { dialects: all });
    const body = `[${'1,'.repeat(100_000)}1]`;
    for (const [url, path, status] of [
      [server.url, '/v1/executions', 413],
      [server.url, '/mcp', 413],
      [server.dialects.piston, '/api/v2/execute', 400],
      [server.dialects.pistom, '/mcp', 413],
      [server.dialects['python-interpreter'], '/v1/execute', 413],
      [server.dialects['python-executor'], '/execute', 413],
      [server.dialects.librechat, '/exec', 413],
      [server.dialects['sandbox-fusion'], '/run_code', 413],
    ] as const) {
      const headers = { 'content-type': 'application/json', 'x-api-key': 'key' };
      const response = await fetch(`${String(url)}${path}`, { method: 'POST', headers, body });
      assert.match(await response.text(), /The body holds more than 100000 values/, path);
      assert.equal(response.status, status, path);
    }
  });

  it('stop listening when the server closes', async (t) => {
    const { server } = await opened(t, { dialects: all });
    const urls = Object.values(server.dialects);
    await server.close();
    for (const url of urls) await assert.rejects(fetch(url), { message: 'fetch failed' });
  });

  const wrong: [given: string[], message: RegExp][] = [
    [['piston', 'piston:9001'], /^dialects: piston is there twice$/],
    [['piston:9001', 'pistom:9001'], /^dialects: pistom:9001: port 9001 is that of piston;/],
    [['piston:99999'], /^dialects: piston:99999: a port is 65535 at most$/],
  ];
  for (const [given, message] of wrong) {
    it(`refuse to start as ${given.join(', ')}`, async (t) => {
      await assert.rejects(opened(t, { dialects: given }), { name: 'ConfigError', message });
    });
  }

  it('refuse to start on a port that is taken, and leave nothing open', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await assert.rejects(opened(t, { dialects: [`pistom:${port}`] }), { code: 'EADDRINUSE' });
  });
});

describe('an endpoint of a dialect', () => {
  it('answers a broken message as JSON-RPC, and other paths with the errors of Vivarium', async (t) => {
    const { server } = await opened(t, { dialects: ['pistom:0'] });
    const url = String(server.dialects.pistom);
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const broken = await fetch(`${url}/mcp`, { method: 'POST', headers, body: '{' });
    assert.equal(broken.status, 400);
    assert.equal(((await broken.json()) as { error: { code: number } }).error.code, -32_700);
    const missing = await fetch(`${url}/nothing`);
    assert.deepEqual(
      [missing.status, await missing.json()],
      [
        404,
        {
          error: {
            code: 'not_found',
            message: 'There is nothing at GET /nothing.',
            hint: 'Check the path and the id; ended runs are kept for a short time only.',
            retryable: false,
            retry_after_seconds: null,
          },
        },
      ],
    );
  });
});
