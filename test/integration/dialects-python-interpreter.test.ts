import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { StoreError } from '../../src/artifacts/blobs.ts';
import { ServiceError } from '../../src/result/errors.ts';
import { pythonInterpreter } from '../../src/serve/dialects/python-interpreter/python-interpreter.ts';
import { dialectDoor } from './dialect-door.ts';
import { until } from './until.ts';

const door = (t: TestContext, options: Parameters<typeof dialectDoor>[2] = {}) =>
  dialectDoor(t, pythonInterpreter, options);

const unknown = 'a'.repeat(64);

describe('POST /v1/execute of the Python Interpreter', () => {
  it('answers with all four fields', async (t) => {
    const opened = await door(t);
    opened.script = ({ code, env }) => ({ stdout: `${code} ${String(env.A)}\n`, stderr: 'warning\n' });
    const { status, body } = await opened.post('/v1/execute', { source_code: 'print', env: { A: 'b' } });
    assert.equal(status, 200);
    assert.deepEqual(body, { stdout: 'print b\n', stderr: 'warning\n', exit_code: 0, files: {} });
  });

  it('takes files from one run to another, under ids of 64 digits', async (t) => {
    const opened = await door(t);
    opened.script = (_request, workspace) => {
      workspace.write('a.txt', 'one');
      workspace.write('folder/b.txt', 'two');
      return {};
    };
    const first = (await opened.post('/v1/execute', { source_code: '' })).body as {
      files: Record<string, string>;
    };
    assert.deepEqual(Object.keys(first.files), ['/workspace/a.txt']);
    const id = String(first.files['/workspace/a.txt']);
    assert.match(id, /^[0-9a-f]{64}$/);

    opened.script = (_request, workspace) => {
      const text = `${String(workspace.read('a.txt'))} ${String(workspace.read('c/d.txt'))}`;
      workspace.write('c/d.txt', 'changed');
      return { stdout: text };
    };
    const files = { '/workspace/a.txt': id, '/workspace/c/d.txt': id, '/e.txt': id };
    const { body } = await opened.post('/v1/execute', { source_code: '', files });
    assert.deepEqual(body, { stdout: 'one one', stderr: '', exit_code: 0, files: {} });
  });

  it('gives back what changed, under another id', async (t) => {
    const opened = await door(t);
    opened.script = (_request, workspace) => {
      workspace.write('a', `${workspace.read('a') ?? ''}x`);
      return {};
    };
    const run = async (files: object) =>
      (
        (await opened.post('/v1/execute', { source_code: '', files })).body as {
          files: Record<string, string>;
        }
      ).files;
    const first = await run({});
    const second = await run(first);
    assert.notEqual(second['/workspace/a'], first['/workspace/a']);
    opened.script = (_request, workspace) => ({ stdout: String(workspace.read('a')) });
    const { body } = await opened.post('/v1/execute', { source_code: '', files: second });
    assert.equal((body as { stdout: string }).stdout, 'xx');
  });

  it('has no files of other callers, nor of nobody', async (t) => {
    const opened = await door(t, { settings: { callerHeader: 'x-user' } });
    opened.script = (_request, workspace) => {
      workspace.write('a', 'secret');
      return {};
    };
    const ada = await opened.post('/v1/execute', { source_code: '' }, { 'x-user': 'ada' });
    const { files } = ada.body as { files: Record<string, string> };
    const bob = await opened.post('/v1/execute', { source_code: '', files }, { 'x-user': 'bob' });
    assert.deepEqual(
      [bob.status, bob.body],
      [500, { detail: `File not found: ${String(files['/workspace/a'])}` }],
    );
    const nobody = await opened.post('/v1/execute', { source_code: '' });
    assert.equal(nobody.status, 401);
    assert.equal(opened.runs.length, 1);
  });

  for (const [name, body, status, detail] of [
    [
      'an unknown file',
      { source_code: '', files: { '/workspace/a': unknown } },
      500,
      `File not found: ${unknown}`,
    ],
    [
      'an id that is none of ours',
      { source_code: '', files: { '/workspace/a': 'b'.repeat(200) } },
      500,
      `File not found: ${'b'.repeat(200)}`,
    ],
    [
      'no code',
      {},
      422,
      [{ type: 'missing', loc: ['body', 'source_code'], msg: 'Field required', input: {} }],
    ],
    ['no body', '', 422, [{ type: 'missing', loc: ['body'], msg: 'Field required', input: null }]],
    [
      'a relative path',
      { source_code: '', files: { 'a/b': unknown } },
      422,
      [
        {
          type: 'string_pattern_mismatch',
          loc: ['body', 'files', 'a/b', '[key]'],
          msg: "String should match pattern '^/[^/].*$'",
          input: 'a/b',
          ctx: { pattern: '^/[^/].*$' },
        },
      ],
    ],
    [
      'no JSON',
      '{"source_code": x}',
      422,
      [{ type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error', input: {} }],
    ],
  ] as const) {
    it(`refuses ${name}`, async (t) => {
      const opened = await door(t);
      const answer = await opened.post('/v1/execute', body);
      assert.equal(answer.status, status);
      const said = (answer.body as { detail: string | { ctx?: { error?: unknown } }[] }).detail;
      if (typeof said !== 'string')
        for (const each of said) if (each.ctx?.error !== undefined) delete each.ctx;
      assert.deepEqual(said, detail);
      assert.equal(opened.runs.length, 0);
    });
  }

  it('refuses a path that leads out of the workspace', async (t) => {
    const opened = await door(t);
    const { status, body } = await opened.post('/v1/execute', {
      source_code: '',
      files: { '/workspace/../etc/passwd': unknown },
    });
    assert.equal(status, 422);
    const [detail] = (body as { detail: { loc: unknown }[] }).detail;
    assert.deepEqual(detail?.loc, ['body', 'files', '/workspace/../etc/passwd', '[key]']);
  });

  it('tells of errors of the service with their status', async (t) => {
    const opened = await door(t);
    opened.script = () => {
      throw new ServiceError('queue_full', 'There are too many.', { retryAfterSeconds: 1.5 });
    };
    const { status, headers, body } = await opened.post('/v1/execute', { source_code: '' });
    assert.deepEqual([status, headers.get('retry-after')], [429, '2']);
    assert.match((body as { detail: string }).detail, /^There are too many\./);
  });

  it('says which files the store has failed for', async (t) => {
    const put = () => Promise.reject(new StoreError('it is full'));
    const opened = await door(t, { shelf: { put } });
    opened.script = (_request, workspace) => {
      workspace.write('a', '1');
      return { stdout: 'done' };
    };
    const { status, body } = await opened.post('/v1/execute', { source_code: '' });
    assert.equal(status, 200);
    assert.deepEqual(body, {
      stdout: 'done',
      stderr: 'Files that are not kept: a and what comes after it (the store of files failed: it is full).\n',
      exit_code: 0,
      files: {},
    });
  });

  it('cancels a run whose client has gone', async (t) => {
    const opened = await door(t);
    opened.script = (_request, _workspace, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new ServiceError('cancelled', 'It was cancelled.'));
        });
      });
    const gone = new AbortController();
    const asked = opened.ask('/v1/execute', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"source_code": ""}',
      signal: gone.signal,
    });
    await until(() => opened.runs.length === 1);
    gone.abort();
    await assert.rejects(asked);
    await until(() => opened.runs[0]?.options.signal.aborted === true);
  });

  it('answers other paths and methods as FastAPI does', async (t) => {
    const opened = await door(t);
    const found = [await opened.ask('/v1/execute'), await opened.ask('/v2')];
    assert.deepEqual(await Promise.all(found.map(async (each) => [each.status, await each.json()])), [
      [405, { detail: 'Method Not Allowed' }],
      [404, { detail: 'Not Found' }],
    ]);
  });
});

describe('Onyx on the same path', () => {
  it('has a shape of its own', async (t) => {
    const opened = await door(t);
    opened.script = ({ stdin, timeout_seconds }, workspace) => {
      workspace.write('out/a.txt', 'x');
      return { stdout: `${stdin} ${String(timeout_seconds)}\n`, value: { text: '3', html: null } };
    };
    const { status, body } = await opened.post('/v1/execute', { code: '1 + 2', stdin: 'in' });
    const { files, ...rest } = body as { files: { file_id: string }[] };
    assert.equal(status, 200);
    assert.deepEqual(rest, {
      stdout: 'in 2\n3\n',
      stderr: '',
      exit_code: 0,
      timed_out: false,
      duration_ms: 1234,
    });
    assert.deepEqual(files, [{ path: 'out/a.txt', kind: 'file', file_id: files[0]?.file_id }]);

    opened.script = (_request, workspace) => ({ stdout: String(workspace.read('in.txt')) });
    const again = await opened.post('/v1/execute', {
      code: '',
      files: [{ path: 'in.txt', file_id: files[0]?.file_id }],
    });
    assert.deepEqual(again.body, { ...rest, stdout: 'x', files: [] });
  });

  for (const [name, body, status, detail] of [
    ['a time that is too long', { timeout_ms: 999_999_999 }, 422, 'timeout_ms exceeds maximum of 300000 ms'],
    [
      'an unknown file',
      { files: [{ path: 'a', file_id: 'b' }] },
      404,
      "File with ID 'b' not found for path 'a'.",
    ],
  ] as const) {
    it(`refuses ${name}`, async (t) => {
      const opened = await door(t);
      const answer = await opened.post('/v1/execute', { code: '', ...body });
      assert.deepEqual([answer.status, answer.body], [status, { detail }]);
    });
  }

  it('uploads, downloads and deletes files, each its caller’s', async (t) => {
    const opened = await door(t, { settings: { callerHeader: 'x-user' } });
    const ada = { 'x-user': 'ada' };
    const form = new FormData();
    form.append('file', new Blob(['a,b']), 'data/ä.csv');
    const uploaded = await opened.ask('/v1/files', { method: 'POST', headers: ada, body: form });
    const { file_id, ...rest } = (await uploaded.json()) as { file_id: string };
    assert.deepEqual([uploaded.status, rest], [201, { filename: 'data/ä.csv', size_bytes: 3 }]);

    opened.script = (_request, workspace) => ({ stdout: String(workspace.read('in.csv')) });
    const ran = await opened.post('/v1/execute', { code: '', files: [{ path: 'in.csv', file_id }] }, ada);
    assert.equal((ran.body as { stdout: string }).stdout, 'a,b');

    const path = `/v1/files/${file_id}`;
    const bob = await opened.ask(path, { headers: { 'x-user': 'bob' } });
    assert.deepEqual(
      [bob.status, await bob.json()],
      [404, { detail: `File with ID '${file_id}' not found` }],
    );
    assert.equal(await (await opened.ask(path, { headers: ada })).text(), 'a,b');
    assert.equal((await opened.ask(path, { method: 'DELETE', headers: ada })).status, 204);
    assert.equal((await opened.ask(path, { method: 'DELETE', headers: ada })).status, 404);
  });

  it('refuses a body that is no form, and a file that is too large', async (t) => {
    const opened = await door(t, { settings: { inputBytes: 3 } });
    assert.equal((await opened.post('/v1/files', {})).status, 422);
    const form = new FormData();
    form.append('file', new Blob(['long']), 'a');
    assert.equal((await opened.ask('/v1/files', { method: 'POST', body: form })).status, 413);
  });

  it('is well', async (t) => {
    const opened = await door(t);
    assert.deepEqual(await (await opened.ask('/health')).json(), { status: 'ok', message: null });
  });
});
