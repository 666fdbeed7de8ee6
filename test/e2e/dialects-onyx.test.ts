/** Onyx's code interpreter, which shares a path with that of BeeAI. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { onyx } from './dialects/python-interpreter.ts';
import { startServer, type Server } from './harness/server.ts';

describe('Onyx: kubernetes', { concurrency: 3 }, () => {
  let server: Server;
  let base = '';
  before(async () => {
    server = await startServer('kubernetes', {
      VIVARIUM_DIALECTS: 'python-interpreter:0',
      VIVARIUM_DEFAULT_MEMORY_MB: '256',
      VIVARIUM_MAX_TIMEOUT_SECONDS: '40',
    });
    base = String(server.dialects['python-interpreter']);
  });
  after(() => server.stop());

  it('is healthy', async () => {
    assert.equal(await onyx(base).healthy(), true);
  });

  it('runs code with its stdin, and shows the value of its last line', async () => {
    const ran = await onyx(base).run('import sys\nprint(input())\nsys.stderr.write("e")\n6 * 7', {
      stdin: 'in\n',
    });
    const { duration_ms, ...told } = ran;
    assert.deepEqual(told, { stdout: 'in\n42\n', stderr: 'e', exit_code: 0, timed_out: false, files: [] });
    assert.ok(Number.isInteger(duration_ms) && duration_ms >= 0, String(duration_ms));
  });

  it('a failure has its code', async () => {
    const { exit_code, timed_out, stderr } = await onyx(base).run('raise KeyError("k")');
    assert.deepEqual([exit_code, timed_out], [1, false]);
    assert.match(stderr, /\nKeyError: 'k'\n$/);
  });

  it('its time is in milliseconds', async () => {
    const ran = await onyx(base).run('import time\ntime.sleep(60)', { timeout_ms: 700 });
    assert.deepEqual([ran.exit_code, ran.timed_out, ran.stdout], [null, true, '']);
    assert.ok(ran.duration_ms >= 700 && ran.duration_ms < 20_000, String(ran.duration_ms));
  });

  it('files go up, into a run, come back from it, and are deleted', async () => {
    const client = onyx(base);
    const bytes = Buffer.from([0, 255, 10, 13]);
    const file_id = await client.upload(bytes, 'my data.bin');
    const ran = await client.run(
      `import os
data = open('in/data.bin', 'rb').read()
os.makedirs('out/deep')
open('out/deep/twice.bin', 'wb').write(data * 2)`,
      { files: [{ path: 'in/data.bin', file_id }] },
    );
    assert.deepEqual([ran.stderr, ran.exit_code], ['', 0]);
    const files = ran.files.filter(({ kind }) => kind === 'file');
    assert.deepEqual(
      files.map(({ path }) => path),
      ['out/deep/twice.bin'],
    );
    const made = await client.download(files[0]?.file_id ?? '');
    assert.deepEqual(Buffer.from(await made.arrayBuffer()), Buffer.concat([bytes, bytes]));
    const uploaded = await client.download(file_id);
    assert.equal(uploaded.headers.get('content-type'), 'application/octet-stream');
    assert.match(uploaded.headers.get('content-disposition') ?? '', /^attachment; filename="my data\.bin"/);
    assert.deepEqual(Buffer.from(await uploaded.arrayBuffer()), bytes);
    assert.equal((await client.delete(file_id)).status, 204);
    const gone = { detail: `File with ID '${file_id}' not found` };
    for (const response of [await client.delete(file_id), await client.download(file_id)]) {
      assert.deepEqual([response.status, await response.json()], [404, gone]);
    }
    const request = { code: '', files: [{ path: 'a', file_id }] };
    const { status, body } = await client.post('/v1/execute', request);
    assert.deepEqual([status, body], [404, { detail: `File with ID '${file_id}' not found for path 'a'.` }]);
  });

  it('streams, or runs without', async () => {
    const events = await onyx(base).stream('print("a")');
    assert.deepEqual(
      events.map(([event]) => event),
      ['output', 'result'],
    );
    assert.deepEqual(events[0]?.[1], { stream: 'stdout', data: 'a\n' });
    const { exit_code, timed_out } = events[1]?.[1] as Record<string, unknown>;
    assert.deepEqual([exit_code, timed_out], [0, false]);
  });

  it('422: more time than there is', async () => {
    const { status, body } = await onyx(base).post('/v1/execute', { code: '', timeout_ms: 40_001 });
    assert.deepEqual([status, body], [422, { detail: 'timeout_ms exceeds maximum of 40000 ms' }]);
  });

  it('422: a bad body', async () => {
    const { status, body } = await onyx(base).post('/v1/execute', { code: 5, timeout_ms: 0 });
    const detail = [
      { type: 'string_type', loc: ['body', 'code'], msg: 'Input should be a valid string', input: 5 },
      {
        type: 'greater_than_equal',
        loc: ['body', 'timeout_ms'],
        msg: 'Input should be greater than or equal to 1',
        input: 0,
        ctx: { ge: 1 },
      },
    ];
    assert.deepEqual([status, body], [422, { detail }]);
  });
});
