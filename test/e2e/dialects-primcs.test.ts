/** A client that was written for PRIMCS finds here what PRIMCS would answer: tools, runs and sessions. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectPrimcs, getArtifact, startPrimcs, withPrimcs } from './dialects/primcs.ts';
import { environmentsPlace } from './harness/environments.ts';
import { environment, startServer, type Server } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';

const feedback = '\nFEEDBACK: ';
const settings = {
  VIVARIUM_DIALECTS: 'primcs:0',
  VIVARIUM_CALLER_HEADER: 'X-User',
  VIVARIUM_MAX_TIMEOUT_SECONDS: '5',
  VIVARIUM_DEFAULT_TIMEOUT_SECONDS: '5',
  VIVARIUM_DEFAULT_MEMORY_MB: '256',
  VIVARIUM_SESSIONS_PER_CALLER: '32',
};

describe('the primcs dialect', { concurrency: 3 }, () => {
  let server: Server;
  const undo = openUndo();
  before(async () => {
    const place = await environmentsPlace('kubernetes', 'vivarium-e2e-primcs');
    undo.add(() => place.close());
    server = await startServer('kubernetes', { ...place.settings, ...settings });
    undo.add(() => server.stop());
  });
  after(() => undo.run());

  const base = () => server.dialects.primcs ?? '';
  const using = (use: Parameters<typeof withPrimcs>[1]) => withPrimcs(base(), use);

  it('lists its tools and its prompt, and says who it is', () =>
    using(async ({ client }) => {
      const { tools } = await client.listTools();
      const parameters = Object.fromEntries(
        tools.map(({ name, inputSchema }) => [
          name,
          [Object.keys(inputSchema.properties ?? {}), inputSchema.required ?? []],
        ]),
      );
      assert.deepEqual(parameters, {
        run_code: [['code', 'requirements', 'files'], ['code']],
        persist_artifact: [
          ['relative_path', 'presigned_url'],
          ['relative_path', 'presigned_url'],
        ],
        list_dir: [['dir_path'], []],
        preview_file: [['relative_path'], ['relative_path']],
        mount_file: [
          ['url', 'mount_path'],
          ['url', 'mount_path'],
        ],
      });
      assert.equal(client.getServerVersion()?.name, 'primcs');
      const { prompts } = await client.listPrompts();
      assert.deepEqual(
        prompts.map(({ name, arguments: args }) => [
          name,
          args?.map(({ name, required }) => [name, required]),
        ]),
        [
          [
            'python_programmer',
            [
              ['task', true],
              ['mounted_files', false],
            ],
          ],
        ],
      );
      const { messages } = await client.getPrompt({
        name: 'python_programmer',
        arguments: { task: 'Add the rain.', mounted_files: '["rain.csv", "snow.csv"]' },
      });
      const said = messages.map(({ content }) => (content.type === 'text' ? content.text : '')).join('');
      for (const part of ['Add the rain.', 'rain.csv\n', 'snow.csv', '<python_code>', '<requirements>']) {
        assert.ok(said.includes(part), `${part} in ${said}`);
      }
    }));

  it('the address without its slash leads to the one with it', async () => {
    const response = await fetch(`${base()}/mcp`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'X-User': 'ann', 'content-type': 'application/json' },
      body: '{}',
    });
    const location = new URL(response.headers.get('location') ?? '', base());
    assert.deepEqual([response.status, location.href], [307, `${base()}/mcp/`]);
  });

  it('code runs afresh each time in a workspace that stays, and artifacts accumulate', () =>
    using(async (client) => {
      const first = await client.run("kept = 1\nprint('Hello from FastMCP!')");
      assert.deepEqual(first, {
        stdout: 'Hello from FastMCP!\n',
        stderr: '',
        artifacts: [],
        session_id: client.sessionId,
      });
      const second = await client.run(
        `    import os, sys
    os.makedirs('output/plots')
    open('output/plots/plot.png', 'wb').write(b'PNG')
    open('notes.txt', 'w').write('kept')
    print('kept' in globals(), sorted(name for name in os.listdir() if name in ('mounts', 'output')))
    sys.exit(3)`,
        { requirements: null, files: null },
      );
      assert.equal(second.stdout, "False ['mounts', 'output']\n", second.stderr);
      const plot = { name: 'plot.png', relative_path: 'plots/plot.png', size: 3, mime: 'image/png' };
      assert.deepEqual(second.artifacts, [plot]);
      const third = await client.run(
        "open('output/a.zzz', 'w')\nopen('notes.txt').read()\nraise ValueError('no')",
      );
      assert.deepEqual(third.artifacts, [
        { name: 'a.zzz', relative_path: 'a.zzz', size: 0, mime: 'application/octet-stream' },
        plot,
      ]);
      assert.equal(third.stdout, '');
      assert.match(third.stderr, /^Traceback [^]*\nValueError: no\n$/);
      assert.match(third.feedback ?? '', /print\(/);
      assert.equal('feedback' in second, false);
    }));

  it('what is usually there is there', () =>
    using(async (client) => {
      const { stdout } = await client.run(`from importlib.util import find_spec
print([name for name in ('pandas', 'openpyxl', 'requests') if find_spec(name)])`);
      assert.equal(stdout, "['pandas', 'openpyxl', 'requests']\n");
    }));

  it('code of 20,000 characters runs, and one more does not', () =>
    using(async (client) => {
      const longest = `print('ok')#${'😀'.repeat(20_000 - 12)}`;
      assert.equal((await client.run(longest)).stdout, 'ok\n');
      assert.equal(
        await client.failure('run_code', { code: `${longest}.` }),
        'Code block too large (20k char limit)',
      );
    }));

  it('a run that takes too long is an error, and its session goes on', () =>
    using(async (client) => {
      const said = await client.failure('run_code', {
        code: "open('output/before.txt', 'w').write('x')\nwhile True: pass",
      });
      assert.ok(said.startsWith(`Execution timed out after 5s${feedback}`), said);
      const { artifacts } = await client.run('');
      assert.deepEqual(
        artifacts.map(({ relative_path }) => relative_path),
        ['before.txt'],
      );
    }));

  it('requirements are there for the one call that names them, and those that fail say so', () =>
    using(async (client) => {
      const code = `from importlib.util import find_spec
print(find_spec('sniffio') is not None)`;
      const { stdout, stderr } = await client.run(code, { requirements: ['sniffio==1.3.1'] });
      assert.equal(stdout, 'True\n', stderr);
      assert.equal((await client.run(code)).stdout, 'False\n');
      const said = await client.failure('run_code', { code, requirements: ['six==99'] });
      assert.match(said, /^pip install failed: [^]*six[^]*\nFEEDBACK: ./);
      const refused = await client.failure('run_code', {
        code,
        requirements: ['--index-url=http://127.0.0.1/'],
      });
      assert.match(refused, /--index-url[^]*\nFEEDBACK: ./);
    }));

  it('no client gets at the workspace of another, nor a caller at that of another', async () => {
    const ann = await connectPrimcs(base(), 'ann');
    await ann.run("open('output/a.txt', 'w').write('a')");
    await using(async (other) => {
      assert.notEqual(other.sessionId, ann.sessionId);
      assert.deepEqual((await other.run('print(1)')).artifacts, []);
      assert.equal((await getArtifact(base(), 'a.txt', other.sessionId)).status, 404);
    });
    assert.equal((await getArtifact(base(), 'a.txt', ann.sessionId)).body, 'a');
    const { status, body } = await getArtifact(base(), 'a.txt', ann.sessionId, 'bob');
    assert.deepEqual([status, body], [404, 'File not found']);
    await ann.close();
    assert.equal((await getArtifact(base(), 'a.txt', ann.sessionId)).status, 404);
  });

  it('speaks over stdin and stdout, too', async () => {
    const client = await startPrimcs(environment('kubernetes'));
    try {
      const { tools } = await client.client.listTools();
      assert.equal(tools.length, 5);
      const ran = await client.run("open('output/a.txt', 'w').write('a')\nprint('hello')");
      assert.deepEqual([ran.stdout, ran.artifacts.map(({ name }) => name)], ['hello\n', ['a.txt']]);
    } finally {
      await client.close();
    }
  });
});
