import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { StoreError } from '../../src/artifacts/blobs.ts';
import type { Piston } from '../../src/piston/piston.ts';
import { ServiceError } from '../../src/result/errors.ts';
import { librechat } from '../../src/serve/dialects/librechat/librechat.ts';
import { dialectDoor, type DialectDoor } from './dialect-door.ts';

const door = (t: TestContext, options: Parameters<typeof dialectDoor>[2] = {}) =>
  dialectDoor(t, librechat, options);
const ada = { 'x-api-key': 'ada' };
const bob = { 'x-api-key': 'bob' };

interface Uploaded {
  message: string;
  session_id: string;
  storage_session_id: string;
  files: { fileId: string; filename: string }[];
}

interface Executed {
  session_id: string;
  stdout: string;
  stderr: string;
  files: { id: string; name: string; session_id: string }[];
}

async function upload(opened: DialectDoor, files: Record<string, string | Uint8Array>, headers = ada) {
  const form = new FormData();
  form.append('entity_id', 'agent_1');
  for (const [name, content] of Object.entries(files)) form.append('file', new Blob([content]), name);
  const response = await opened.ask('/upload', { method: 'POST', headers, body: form });
  return { status: response.status, body: (await response.json()) as Uploaded };
}

async function exec(opened: DialectDoor, body: object, headers = ada) {
  const answer = await opened.post('/exec', { lang: 'py', code: '', ...body }, headers);
  return { ...answer, body: answer.body as Executed };
}

async function said(opened: DialectDoor, path: string, headers: Record<string, string> = ada) {
  const response = await opened.ask(path, { headers });
  return { status: response.status, body: await response.json() };
}

describe('/exec of LibreChat', () => {
  it('answers in its shape, at both bases', async (t) => {
    const opened = await door(t);
    opened.script = ({ code, args, language }) => ({ stdout: [code, language, ...args].join(' ') });
    for (const path of ['/exec', '/v1/exec']) {
      const { status, body } = await opened.post(
        path,
        { lang: 'py', code: 'x', args: ['a', 'b'], user_id: 'u' },
        ada,
      );
      const { session_id, ...rest } = body as Executed;
      assert.equal(status, 200);
      assert.match(session_id, /^[A-Za-z0-9_-]{21}$/);
      assert.deepEqual(rest, {
        stdout: 'x python a b\n',
        stderr: '',
        files: [],
        code: 0,
        signal: null,
        message: null,
        status: null,
        wall_time: 1234,
      });
    }
  });

  it('takes uploaded files to a run, and its files to another', async (t) => {
    const opened = await door(t);
    const uploaded = (await upload(opened, { 'ä b.csv': 'a,b\n', 'same.txt': 'same' })).body;
    opened.script = (_request, workspace) => {
      workspace.write('out/plot.png', Uint8Array.from([137, 80, 78, 71, 0, 255]));
      workspace.write('ä b.csv', `${String(workspace.read('ä b.csv'))}1,2\n`);
      return { stdout: workspace.paths().join(' ') };
    };
    const files = uploaded.files.map(({ fileId, filename }) => ({
      id: fileId,
      session_id: uploaded.session_id,
      name: filename,
    }));
    const first = (await exec(opened, { files })).body;
    assert.equal(first.stdout, 'out/plot.png same.txt ä b.csv\n');
    assert.deepEqual(
      first.files.map(({ name, session_id }) => [name, session_id]),
      [
        ['out/plot.png', first.session_id],
        ['ä b.csv', first.session_id],
      ],
    );

    opened.script = (_request, workspace) => ({ stdout: String(workspace.read('ä b.csv')) });
    const [, table] = first.files;
    const again = await exec(opened, {
      files: [
        { id: table?.id, storage_session_id: first.session_id, kind: 'user', name: '/mnt/data/ä b.csv' },
      ],
    });
    assert.equal(again.body.stdout, 'a,b\n1,2\n');

    const download = await opened.ask(
      `/download/${first.session_id}/${String(first.files[0]?.id)}?kind=user`,
      {
        headers: ada,
      },
    );
    assert.deepEqual([...new Uint8Array(await download.arrayBuffer())], [137, 80, 78, 71, 0, 255]);
    assert.equal(download.headers.get('content-type'), 'image/png');
    assert.equal(download.headers.get('content-disposition'), 'attachment; filename=plot.png');
    assert.equal(download.headers.get('x-content-type-options'), 'nosniff');
  });

  it('answers a failing program with 200', async (t) => {
    const opened = await door(t);
    opened.script = () => ({ status: 'failed', exit_code: 1, stderr: 'Traceback\n', message: 'It failed.' });
    const { status, body } = await exec(opened, {});
    assert.deepEqual([status, body.stdout, body.stderr], [200, '', 'Traceback\n']);
  });

  it('runs other languages where there is a Piston', async (t) => {
    const runtimes = [{ language: 'golang', version: '1.0.0', aliases: ['go'] }];
    const piston: Partial<Piston> = { runtimes: () => Promise.resolve(runtimes) };
    const settings = { pistonUrl: 'http://127.0.0.1:1' };
    const opened = await door(t, { settings, piston: piston as Piston });
    opened.script = ({ language }) => ({ stdout: language });
    assert.equal((await exec(opened, { lang: 'go' })).body.stdout, 'go\n');
    const { status, body } = await exec(opened, { lang: 'rs' });
    assert.deepEqual([status, 'error' in body && body.error], [400, 'Unsupported language: rs']);
  });

  for (const [name, body, status, error] of [
    ['a language that is none', { lang: 'cobol' }, 400, 'Unsupported language: cobol'],
    ['a language that does not run here', { lang: 'js' }, 400, 'Unsupported language: js'],
    ['no code', { code: undefined }, 400, 'code: Invalid input: expected string, received undefined'],
    ['a file without session', { files: [{ id: 'a', name: 'b' }] }, 400, 'files.0: a file has a session_id'],
    [
      'a file that is not there',
      { files: [{ id: 'a'.repeat(21), session_id: 'b'.repeat(21), name: 'c' }] },
      404,
      'File not found',
    ],
    ['an id that is none', { files: [{ id: '../a', session_id: 'b', name: 'c' }] }, 400, 'Bad request'],
  ] as const) {
    it(`refuses ${name}`, async (t) => {
      const opened = await door(t);
      const answer = await opened.post('/exec', { lang: 'py', code: '', ...body }, ada);
      assert.deepEqual([answer.status, (answer.body as { error: string }).error], [status, error]);
      assert.equal(opened.runs.length, 0);
    });
  }

  it('refuses a name that leads out of the workspace', async (t) => {
    const opened = await door(t);
    const { body } = await upload(opened, { a: 'x' });
    const files = [{ id: body.files[0]?.fileId, session_id: body.session_id, name: '../../etc/passwd' }];
    assert.equal((await exec(opened, { files })).status, 400);
  });

  it('says how long to wait', async (t) => {
    const opened = await door(t);
    opened.script = () => {
      throw new ServiceError('queue_full', 'Too many.', { retryAfterSeconds: 3 });
    };
    const { status, headers, body } = await opened.post('/exec', { lang: 'py', code: '' }, ada);
    assert.deepEqual([status, headers.get('retry-after')], [429, '3']);
    assert.deepEqual(body, { error: 'rate_limited', details: 'Too many.', retry_after_seconds: 3 });
  });

  it('needs no key, and then the caller that a proxy names', async (t) => {
    const opened = await door(t);
    assert.equal((await opened.post('/exec', { lang: 'py', code: '' })).status, 200);
    const { body } = await upload(opened, { a: 'x' }, {} as typeof ada);
    assert.equal(
      (await said(opened, `/download/${body.session_id}/${body.files[0]?.fileId}`, ada)).status,
      404,
    );
    const proxied = await door(t, { settings: { callerHeader: 'x-user' } });
    assert.equal((await proxied.post('/exec', { lang: 'py', code: '' }, ada)).status, 401);
  });
});

describe('the files of LibreChat', () => {
  it('are kept by /upload, in a session of their own', async (t) => {
    const opened = await door(t);
    const { status, body } = await upload(opened, { 'a.txt': 'one', 'deep/b.txt': 'two' });
    assert.deepEqual([status, body.message, body.session_id], [200, 'success', body.storage_session_id]);
    assert.deepEqual(
      body.files.map(({ filename }) => filename),
      ['a.txt', 'deep/b.txt'],
    );
    for (const id of [body.session_id, ...body.files.map(({ fileId }) => fileId)]) {
      assert.match(id, /^[A-Za-z0-9_-]{21}$/);
    }
  });

  it('are described in as much detail as is asked for', async (t) => {
    const opened = await door(t);
    const { session_id, files } = (await upload(opened, { 'a.csv': 'one' })).body;
    const id = String(files[0]?.fileId);
    const name = `${session_id}/${id}`;
    assert.deepEqual((await said(opened, `/files/${session_id}`)).body, [name]);
    const [summary] = (await said(opened, `/files/${session_id}?detail=summary`)).body as Record<
      string,
      string
    >[];
    assert.deepEqual(Object.keys(summary ?? {}), ['name', 'lastModified']);
    assert.equal(summary?.name, name);
    assert.ok(Math.abs(Date.parse(String(summary.lastModified)) - Date.now()) < 10_000);
    const full = {
      name,
      id,
      session_id,
      size: 3,
      lastModified: summary.lastModified,
      contentType: 'text/csv',
      metadata: { 'original-filename': 'a.csv', 'content-type': 'text/csv' },
    };
    assert.deepEqual((await said(opened, `/files/${session_id}?detail=full`)).body, [full]);
    assert.deepEqual((await said(opened, `/sessions/${session_id}/objects/${id}?kind=user&id=u`)).body, full);
  });

  it('are nobody else’s', async (t) => {
    const opened = await door(t);
    const { session_id, files } = (await upload(opened, { a: 'secret' })).body;
    const id = String(files[0]?.fileId);
    assert.deepEqual(await said(opened, `/files/${session_id}`, bob), { status: 200, body: [] });
    for (const path of [`/download/${session_id}/${id}`, `/sessions/${session_id}/objects/${id}`]) {
      assert.equal((await said(opened, path, bob)).status, 404, path);
    }
    const used = await exec(opened, { files: [{ id, session_id, name: 'a' }] }, bob);
    assert.equal(used.status, 404);
    const bearer = await opened.ask(`/download/${session_id}/${id}`, {
      headers: { authorization: 'Bearer ada' },
    });
    assert.equal(await bearer.text(), 'secret');
  });

  for (const [name, files, status, error] of [
    ['no file', {}, 400, 'No files provided'],
    ['too much', { a: 'x'.repeat(101) }, 413, 'File size limit exceeded'],
    ['too many', { a: '', b: '', c: '' }, 413, 'There are more than 2 files.'],
  ] as const) {
    it(`are refused: ${name}`, async (t) => {
      const opened = await door(t, { settings: { inputBytes: 100, inputFiles: 2 } });
      const answer = await upload(opened, files);
      assert.deepEqual([answer.status, (answer.body as unknown as { error: string }).error], [status, error]);
    });
  }

  it('are refused where a run names more than it may have', async (t) => {
    const opened = await door(t, { settings: { inputFiles: 1 } });
    const files = ['a', 'b'].map((name) => ({ name, id: 'x', session_id: 'x' }));
    assert.equal((await exec(opened, { files })).status, 413);
  });

  it('are refused where the body is no form', async (t) => {
    const opened = await door(t);
    assert.equal((await opened.post('/upload', {}, ada)).status, 400);
  });

  it('are not kept where the store fails', async (t) => {
    const opened = await door(t, { shelf: { put: () => Promise.reject(new StoreError('it is full')) } });
    const { status, body } = await upload(opened, { a: 'x' });
    assert.deepEqual(
      [status, (body as unknown as { error: string }).error],
      [503, 'The artifact store failed: it is full.'],
    );
  });

  for (const [name, path, headers, body, status] of [
    ['a path that cannot be read', '/download/%zz/a', {}, undefined, 400],
    ['a body that is no JSON', '/exec', { 'content-type': 'application/json' }, '{', 400],
    [
      'a compressed body that is none',
      '/exec',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      '{}',
      400,
    ],
  ] as const) {
    it(`are the client’s fault: ${name}`, async (t) => {
      const opened = await door(t);
      const init = body === undefined ? {} : { method: 'POST', body };
      const response = await opened.ask(path, { ...init, headers: { ...ada, ...headers } });
      assert.equal(response.status, status);
      assert.ok(((await response.json()) as { error: string }).error);
    });
  }

  it('are nowhere else', async (t) => {
    const opened = await door(t);
    assert.deepEqual(await said(opened, '/nothing'), {
      status: 404,
      body: { error: 'Not found', details: 'There is nothing at GET /nothing.' },
    });
  });
});
