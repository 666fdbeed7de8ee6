import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorBody } from './harness.ts';
import { handle, view } from '../unit/support/fake-sessions.ts';
import { callerHeader, sessionsDoor } from './sessions-door.ts';

const base = `/v1/sessions/${handle}`;
const json = { 'content-type': 'application/json' };

describe('/v1/sessions', () => {
  it('creates a session, as asked', async (t) => {
    const { ask, sessions } = await sessionsDoor(t);
    const plain = await ask('POST', '/v1/sessions');
    assert.equal(plain.status, 201);
    assert.deepEqual(await plain.json(), view);
    const request = { requirements: ['polars'], idle_seconds: 60, timeout_seconds: 5, limits: { cpu: 2 } };
    assert.equal((await ask('POST', '/v1/sessions', JSON.stringify(request), json)).status, 201);
    assert.deepEqual(
      sessions.asked.map((asked) => ({ request: asked.request, caller: asked.caller })),
      [
        { request: { requirements: [], limits: {} }, caller: 'alice' },
        { request, caller: 'alice' },
      ],
    );
  });

  it('ends it, and then it has ended', async (t) => {
    const { ask } = await sessionsDoor(t);
    const ended = await ask('DELETE', base);
    assert.deepEqual([ended.status, await ended.json()], [200, { session_id: handle }]);
    const again = await ask('DELETE', base);
    assert.equal(again.status, 410);
    assert.equal(((await again.json()) as ErrorBody).error.code, 'session_ended');
  });

  it('keeps a file exactly, whatever its type and name', async (t) => {
    const { ask, files } = await sessionsDoor(t);
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const table: [path: string, bytes: Uint8Array, type: string, answered: string][] = [
      ['data/all.bin', bytes, 'application/octet-stream', 'application/octet-stream'],
      ['a.json', Buffer.from('{"not": json'), 'application/json', 'application/json'],
      ['ä b#?%2F.txt', Buffer.from('text'), 'text/plain', 'text/plain'],
      ['empty', Buffer.alloc(0), 'text/plain', 'application/octet-stream'],
    ];
    for (const [path, content, type, answered] of table) {
      const url = `${base}/files/${path.split('/').map(encodeURIComponent).join('/')}`;
      const put = await ask('PUT', url, content, { 'content-type': type });
      assert.deepEqual([put.status, await put.json()], [200, { path, size: content.length }]);
      assert.deepEqual(files.get(path), Buffer.from(content));
      const got = await ask('GET', url);
      assert.equal(got.status, 200);
      assert.equal(got.headers.get('content-type'), answered);
      assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(got.headers.get('content-security-policy'), "sandbox; default-src 'none'");
      assert.equal(got.headers.get('cache-control'), 'no-store');
      assert.match(got.headers.get('content-disposition') ?? '', /^attachment; filename/);
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), Buffer.from(content));
    }
  });

  it('lists files', async (t) => {
    const { ask, files, sessions } = await sessionsDoor(t);
    files.set('data/a.csv', Buffer.from('a,b\n'));
    const listed = await ask('GET', `${base}/files?path=data&recursive=true`);
    const { entries, left_out } = (await listed.json()) as { entries: { path: string }[]; left_out: number };
    assert.deepEqual(
      entries.map(({ path }) => path),
      ['data', 'pipe', 'data/a.csv'],
    );
    assert.equal(left_out, 2);
    assert.equal((await ask('GET', `${base}/files`)).status, 200);
    assert.deepEqual(
      sessions.asked.flatMap(({ recursive }) => recursive ?? []),
      [true, false],
    );
  });

  it('refuses what cannot be asked, and repeats no handle', async (t) => {
    const { ask } = await sessionsDoor(t);
    const other = `/v1/sessions/ses_${'t'.repeat(26)}`;
    type Case = [method: string, path: string, body: string | undefined, status: number, message: RegExp];
    const table: Case[] = [
      ['POST', '/v1/sessions', '{"requirements":["denied"]}', 400, /^requirements.0: .*not allowed/],
      ['POST', '/v1/sessions', '{"idle":1}', 400, /^body: Unrecognized key: "idle"$/],
      ['DELETE', '/v1/sessions/short', undefined, 400, /^session_id: .*create_session/],
      ['DELETE', other, undefined, 404, /no such session/],
      ['GET', `${base}/files?path=..`, undefined, 400, /^path: /],
      ['GET', `${base}/files?recursive=maybe`, undefined, 400, /^recursive: /],
      ['GET', `${base}/files?path=none`, undefined, 404, /There is no none/],
      ['GET', `${base}/files/none`, undefined, 404, /There is no none/],
      ['GET', `${base}/files/a//b`, undefined, 400, /^path: a path is relative/],
      ['GET', `${base}/files/..%2F..%2Fetc`, undefined, 400, /^path: a path is relative/],
      ['GET', `${base}/files/%zz`, undefined, 400, /% that begins no encoded/],
      ['PUT', `${base}/files/..%2Fa`, 'x', 400, /^path: a path is relative/],
      ['PUT', `${base}/files/large`, 'x'.repeat(1001), 413, /larger than 1000 bytes/],
      ['PUT', `${other}/files/a`, 'x', 404, /no such session/],
    ];
    for (const [method, path, body, status, message] of table) {
      const answer = await ask(method, path, body, json);
      const { error } = (await answer.json()) as ErrorBody;
      assert.equal(answer.status, status, `${path}: ${error.message}`);
      assert.match(error.message, message);
      assert.ok(!error.message.includes('ses_'), error.message);
    }
  });

  it('is for its caller alone', async (t) => {
    const { ask, files } = await sessionsDoor(t);
    files.set('a', Buffer.from('secret'));
    for (const [caller, status] of [
      ['bob', 404],
      ['', 401],
    ] as const) {
      const headers = { [callerHeader]: caller };
      for (const [method, path] of [
        ['GET', `${base}/files/a`],
        ['PUT', `${base}/files/a`],
        ['GET', `${base}/files`],
        ['DELETE', base],
      ] as const) {
        const answer = await ask(method, path, undefined, headers);
        assert.equal(answer.status, status, `${method} ${path} as "${caller}"`);
      }
    }
    assert.deepEqual(files.get('a'), Buffer.from('secret'));
  });
});

describe('/v1/runtimes', () => {
  it('lists languages', async (t) => {
    const { ask } = await sessionsDoor(t);
    const { runtimes } = (await (await ask('GET', '/v1/runtimes')).json()) as { runtimes: object[] };
    assert.deepEqual(runtimes[1], {
      language: 'go',
      version: '1.16.2',
      aliases: ['golang'],
      isolation: 'piston',
    });
    assert.equal((await ask('GET', '/v1/runtimes', undefined, { [callerHeader]: '' })).status, 401);
  });
});

describe('/openapi.json', () => {
  interface Operation {
    requestBody?: { content: Record<string, { schema: object }> };
    parameters?: { name: string; schema: object }[];
    responses: Record<string, { content: Record<string, { schema: object }> }>;
  }

  it('holds for sessions', async (t) => {
    const { ask } = await sessionsDoor(t);
    const { paths } = (await (await ask('GET', '/openapi.json')).json()) as {
      paths: Record<string, Record<string, Operation>>;
    };
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const holds = (schema: object | undefined, value: unknown) => {
      assert.ok(schema && ajv.validate(schema, value), ajv.errorsText());
    };
    const check = async (path: string, method: string, answer: Promise<Response>) => {
      const { status, ...given } = await answer.then(async (got) => ({
        status: got.status,
        body: await got.json(),
      }));
      const { responses } = paths[path]?.[method] ?? { responses: {} };
      holds((responses[status] ?? responses.default)?.content['application/json']?.schema, given.body);
    };
    const creation = paths['/v1/sessions']?.post?.requestBody?.content['application/json']?.schema;
    holds(creation, {});
    assert.ok(!ajv.validate(creation ?? {}, { idle: 1 }));
    await check('/v1/sessions', 'post', ask('POST', '/v1/sessions'));
    await check('/v1/sessions/{id}/files', 'get', ask('GET', `${base}/files`));
    await check('/v1/sessions/{id}/files', 'get', ask('GET', `${base}/files?path=none`));
    await check('/v1/sessions/{id}/files/{path}', 'put', ask('PUT', `${base}/files/a`, 'x'));
    await check('/v1/sessions/{id}/files/{path}', 'get', ask('GET', `${base}/files/none`));
    await check('/v1/sessions/{id}', 'delete', ask('DELETE', base));
    await check('/v1/sessions/{id}', 'delete', ask('DELETE', base));
    await check('/v1/runtimes', 'get', ask('GET', '/v1/runtimes'));
    assert.deepEqual(
      paths['/v1/sessions/{id}/files']?.get?.parameters?.map(({ name }) => name),
      ['id', 'path', 'recursive'],
    );
  });
});
