/** Clients of BeeAI Code Interpreter and of the MCP tool in front of it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { bee } from './dialects/python-interpreter.ts';
import { connectStdio, kinds, withCaller, type Caller } from './harness/clients.ts';
import { environment, startServer, type Server } from './harness/server.ts';
import { fetchAs } from './harness/sessions.ts';

const small = { VIVARIUM_DIALECTS: 'python-interpreter:0', VIVARIUM_DEFAULT_MEMORY_MB: '256' };
const id = /^[0-9a-f]{64}$/;
const missing = 'a'.repeat(64);

describe('BeeAI Code Interpreter: kubernetes', { concurrency: 3 }, () => {
  let server: Server;
  let base = '';
  before(async () => {
    server = await startServer('kubernetes', small);
    base = String(server.dialects['python-interpreter']);
  });
  after(() => server.stop());

  it('runs code, and tells both streams and the code it ended with', async () => {
    const code = 'import sys, os\nprint(os.environ["WHO"])\nsys.stderr.write("e")\nsys.exit(3)';
    assert.deepEqual(await bee(base).run(code, { env: { WHO: 'Jörg' } }), {
      stdout: 'Jörg\n',
      stderr: 'e',
      exit_code: 3,
      files: {},
    });
  });

  it('files and env may be left out, and an exception is a result', async () => {
    const { status, body } = await bee(base).post<Record<string, unknown>>('/v1/execute', {
      source_code: '1 / 0',
    });
    assert.deepEqual([status, body.stdout, body.exit_code, body.files], [200, '', 1, {}]);
    assert.match(String(body.stderr), /^Traceback [^]*\nZeroDivisionError: division by zero\n$/);
  });

  it('what is new or changed directly in /workspace goes on to the next run by its id', async () => {
    const client = bee(base);
    const made = await client.run(`import os
open('file.txt', 'w').write('Hello, World!')
open('bytes', 'wb').write(bytes(range(256)))
os.mkdir('sub')
open('sub/deep.txt', 'w').write('not returned')`);
    assert.deepEqual(
      [made.exit_code, Object.keys(made.files).sort()],
      [0, ['/workspace/bytes', '/workspace/file.txt']],
    );
    const [text, bytes] = ['/workspace/file.txt', '/workspace/bytes'].map((path) => made.files[path]);
    assert.match(String(text), id);
    const files = { '/workspace/file.txt': text, '/workspace/sub/in': bytes, '/workspace/bytes': bytes };
    const next = await client.run(
      `print(open('file.txt').read())
assert open('sub/in', 'rb').read() == bytes(range(256))
open('file.txt', 'w').write('Hello, World!')
open('sub/in', 'w').write('below')
open('bytes', 'w').write('changed')`,
      { files },
    );
    assert.deepEqual([next.stdout, next.stderr], ['Hello, World!\n', '']);
    assert.deepEqual(Object.keys(next.files), ['/workspace/bytes']);
    assert.notEqual(next.files['/workspace/bytes'], bytes);
  });

  it('an id that is not there is told as its storage tells it', async () => {
    const request = { source_code: '', files: { '/workspace/a': missing } };
    const { status, body } = await bee(base).post('/v1/execute', request);
    assert.deepEqual([status, body], [500, { detail: `File not found: ${missing}` }]);
  });

  const source_code = 'print()';
  const [pathPattern, idPattern] = ['^/[^/].*$', '^[0-9a-zA-Z_-]{1,255}$'];
  const mismatch = (loc: string[], pattern: string, input: string) => ({
    type: 'string_pattern_mismatch',
    loc: ['body', 'files', ...loc],
    msg: `String should match pattern '${pattern}'`,
    input,
    ctx: { pattern },
  });
  const text = (loc: string[], input: unknown) => ({
    type: 'string_type',
    loc: ['body', ...loc],
    msg: 'Input should be a valid string',
    input,
  });
  const bad: [name: string, body: object, detail: object[]][] = [
    ['no code', {}, [{ type: 'missing', loc: ['body', 'source_code'], msg: 'Field required', input: {} }]],
    ['code that is no text', { source_code: 5 }, [text(['source_code'], 5)]],
    [
      'a relative path',
      { source_code, files: { 'a.txt': missing } },
      [mismatch(['a.txt', '[key]'], pathPattern, 'a.txt')],
    ],
    [
      'an id of other characters',
      { source_code, files: { '/a': 'x/y' } },
      [mismatch(['/a'], idPattern, 'x/y')],
    ],
    ['env of numbers', { source_code, env: { A: 1 } }, [text(['env', 'A'], 1)]],
  ];
  for (const [name, body, detail] of bad) {
    it(`422: ${name}`, async () => {
      const answer = await bee(base).post('/v1/execute', body);
      assert.deepEqual([answer.status, answer.body], [422, { detail }]);
    });
  }

  it('422 in the same form: what is no JSON', async () => {
    const { status, body } = await bee(base).post<{ detail: Record<string, unknown>[] }>(
      '/v1/execute',
      '{"source_code": ',
    );
    const [{ type, loc, msg } = {}] = body.detail;
    assert.deepEqual([status, type, msg], [422, 'json_invalid', 'JSON decode error']);
    assert.deepEqual((loc as unknown[])[0], 'body');
  });

  it('other paths and methods are not there', async () => {
    const none = await bee(base).post('/v1/nothing', {});
    assert.deepEqual([none.status, none.body], [404, { detail: 'Not Found' }]);
    const get = await fetch(`${base}/v1/execute`);
    assert.deepEqual([get.status, await get.json()], [405, { detail: 'Method Not Allowed' }]);
  });

  describe('the tool execute_python_code', () => {
    async function exercise(caller: Caller): Promise<void> {
      assert.deepEqual(await caller.tools(), ['execute_python_code']);
      const answer = await caller.tool('execute_python_code', {
        source_code: 'import sys\nprint(1 + 1)\nopen("a", "w").write("x")\nsys.exit(2)',
      });
      const { files, ...told } = answer.structuredContent as { files: Record<string, string> };
      assert.deepEqual(told, { stdout: '2\n', stderr: '', exit_code: 2 });
      assert.match(String(files['/workspace/a']), id);
      const [{ type, text }] = answer.content as [{ type: string; text: string }];
      assert.deepEqual([type, JSON.parse(text)], ['text', answer.structuredContent]);
    }

    for (const kind of kinds) {
      it(`over HTTP, ${kind}`, () => withCaller(kind, `${base}/mcp`, exercise));
    }

    it('over stdio', async () => {
      const args = ['src/main.ts', 'stdio', '--dialect', 'python-interpreter'];
      const caller = await connectStdio('v1', environment('kubernetes'), args);
      try {
        await exercise(caller);
      } finally {
        await caller.close();
      }
    });
  });
});

describe('BeeAI Code Interpreter with little time and room: kubernetes', () => {
  let server: Server;
  let base = '';
  before(async () => {
    server = await startServer('kubernetes', {
      ...small,
      VIVARIUM_DEFAULT_TIMEOUT_SECONDS: '3',
      VIVARIUM_MAX_TIMEOUT_SECONDS: '3',
      VIVARIUM_MAX_CODE_BYTES: '1000',
      VIVARIUM_CALLER_HEADER: 'x-user',
    });
    base = String(server.dialects['python-interpreter']);
  });
  after(() => server.stop());

  const timedOut = { stdout: '', stderr: 'Execution timed out', exit_code: -1, files: {} };
  const endless = 'print("lost", flush=True)\nimport time\ntime.sleep(60)';

  it('a run whose time is over says that and nothing else, through both doors', async () => {
    const [ran, tool] = await Promise.all([
      bee(base, { 'x-user': 'ann' }).run(endless),
      new Promise((resolve, reject) => {
        withCaller(
          'v1',
          `${base}/mcp`,
          async (caller) => {
            resolve((await caller.tool('execute_python_code', { source_code: endless })).structuredContent);
          },
          { fetch: fetchAs('x-user', 'ann') },
        ).catch(reject);
      }),
    ]);
    assert.deepEqual([ran, tool], [timedOut, timedOut]);
  });

  it('an error of the service is a result of the tool', async () => {
    await withCaller(
      'v1',
      `${base}/mcp`,
      async (caller) => {
        const { structuredContent } = await caller.tool('execute_python_code', {
          source_code: `#${'x'.repeat(1000)}`,
        });
        const { stderr, ...told } = structuredContent as { stderr: string };
        assert.deepEqual(told, { stdout: '', exit_code: 1, files: {} });
        assert.match(stderr, /^HTTP error 4\d\d: \{"detail":/);
      },
      { fetch: fetchAs('x-user', 'ann') },
    );
  });

  it("a file is its caller's", async () => {
    const { files } = await bee(base, { 'x-user': 'ann' }).run('open("a", "w").write("hers")');
    const request = { source_code: 'print(open("a").read())', files };
    const [hers, his, nobodys] = await Promise.all([
      bee(base, { 'x-user': 'ann' }).post<{ stdout: string }>('/v1/execute', request),
      bee(base, { 'x-user': 'bob' }).post('/v1/execute', request),
      bee(base).post('/v1/execute', request),
    ]);
    assert.equal(hers.body.stdout, 'hers\n');
    assert.deepEqual(
      [his.status, his.body],
      [500, { detail: `File not found: ${String(files['/workspace/a'])}` }],
    );
    assert.equal(nobodys.status, 401);
  });
});
