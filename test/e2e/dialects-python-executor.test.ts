/** A client that was written for MCP Python Executor finds here what it would answer, by MCP, HTTP and stdin. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  connectExecutor,
  executeOver,
  plain,
  post,
  startExecutor,
  streamOver,
  type Executor,
} from './dialects/python-executor.ts';
import { environmentsPlace } from './harness/environments.ts';
import { environment, startServer, type Server } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';

const settings = {
  VIVARIUM_DIALECTS: 'python-executor:0',
  VIVARIUM_CALLER_HEADER: 'X-User',
  VIVARIUM_DEFAULT_MEMORY_MB: '256',
  VIVARIUM_MAX_TIMEOUT_SECONDS: '5',
  VIVARIUM_DEFAULT_TIMEOUT_SECONDS: '5',
};
const tools = ['install_dependencies', 'execute_python', 'list_installed_packages'];
const ann = { 'X-User': 'ann' };
const bob = { 'X-User': 'bob' };

/** Code, and what is said of it, whichever way it comes. */
const endings: [code: string, said: string | RegExp][] = [
  ['print("Hello from MCP!")', 'Output:\nHello from MCP!\n\n'],
  ['x = 1', 'Code executed successfully (no output)'],
  [
    'import sys\nprint("out")\nprint("err", file=sys.stderr)\nsys.exit(3)',
    'Output:\nout\n\nErrors:\nerr\n\nExit code: 3\n',
  ],
  ['import sys; sys.exit(2)', 'Exit code: 2\n'],
  ['1 / 0', /^Errors:\nTraceback [^]*\nZeroDivisionError: division by zero\n\nExit code: 1\n$/],
];

function isSaid(said: string, expected: string | RegExp) {
  if (typeof expected === 'string') assert.equal(said, expected);
  else assert.match(said, expected);
}

describe('the python-executor dialect', { concurrency: 3 }, () => {
  let server: Server;
  let client: Executor;
  const undo = openUndo();
  before(async () => {
    const place = await environmentsPlace('kubernetes', 'vivarium-e2e-executor');
    undo.add(() => place.close());
    server = await startServer('kubernetes', { ...place.settings, ...settings });
    undo.add(() => server.stop());
    client = await connectExecutor(base(), ann);
    undo.add(() => client.close());
  });
  after(() => undo.run());

  const base = () => server.dialects['python-executor'] ?? '';

  it('what was installed is there in the next call of its caller, and of nobody else', async () => {
    const code = 'import six; print(six.__version__)';
    const other = executeOver(base(), bob);
    const install = (...packages: string[]) => client.call('install_dependencies', { packages });
    const said = await install('six==1.17.0', 'six==99', 'sniffio');
    assert.match(
      said,
      /^✓ Successfully installed six==1\.17\.0\n✗ Failed to install six==99: [^]+\n✓ Successfully installed sniffio$/,
    );
    assert.equal(await client.call('execute_python', { code }), 'Output:\n1.17.0\n\n');
    assert.match(await client.call('execute_python', { code: 'import sniffio; print(1)' }), /^Output:\n1\n/);
    const listed = async (call: Executor['call']) => {
      const [title, ...lines] = (await call('list_installed_packages', {})).split('\n');
      assert.equal(title, 'Installed packages:');
      return lines;
    };
    const mine = await listed(client.call);
    assert.ok(mine.includes('six==1.17.0') && mine.some((line) => line.startsWith('pandas==')), mine.join());
    assert.ok(mine.every((line) => /^[A-Za-z0-9][A-Za-z0-9._-]*==\S+$/.test(line)));
    const theirs = await listed(other);
    assert.ok(!theirs.some((line) => line.startsWith('sniffio==')), theirs.join());
    assert.match(await other('execute_python', { code: 'import sniffio' }), /ModuleNotFoundError/);
    assert.equal(await install('six==1.16.0'), '✓ Successfully installed six==1.16.0');
    assert.equal(await client.call('execute_python', { code }), 'Output:\n1.16.0\n\n');
  });

  it('lists its three tools, by MCP and by HTTP', async () => {
    const listed = (await client.client.listTools()).tools;
    assert.deepEqual(listed.map(({ name }) => name).sort(), [...tools].sort());
    assert.equal(client.client.getServerVersion()?.name, 'python-executor');
    await client.client.ping();
    const response = await fetch(`${base()}/tools`, { headers: ann });
    const body = (await response.json()) as {
      tools: { name: string; inputSchema: { required?: string[] } }[];
    };
    assert.deepEqual(
      Object.fromEntries(body.tools.map(({ name, inputSchema }) => [name, inputSchema.required ?? []])),
      { install_dependencies: ['packages'], execute_python: ['code'], list_installed_packages: [] },
    );
    const health = await fetch(`${base()}/health`);
    assert.equal(health.status, 200);
  });

  it('answers MCP in JSON', async () => {
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'curl', version: '8' },
      },
    };
    const response = await post(`${base()}/mcp/`, initialize, {
      ...ann,
      accept: 'application/json, text/event-stream',
    });
    assert.deepEqual(
      [response.status, response.headers.get('content-type')?.split(';')[0]],
      [200, 'application/json'],
    );
    const { result } = (await response.json()) as { result: { serverInfo: { name: string } } };
    assert.equal(result.serverInfo.name, 'python-executor');
  });

  it('code is told by its output, its errors and its exit code, each when there is one', async () => {
    const executes = [client.call, executeOver(base(), ann)];
    for (const execute of executes) {
      const answers = await Promise.all(endings.map(([code]) => execute('execute_python', { code })));
      for (const [index, [, expected]] of endings.entries()) isSaid(answers[index] ?? '', expected);
    }
  });

  it('over stdin and stdout, too', async () => {
    const started = await startExecutor(environment('kubernetes'));
    try {
      for (const [code, said] of endings.slice(0, 2)) {
        isSaid(await started.call('execute_python', { code }), said);
      }
    } finally {
      await started.close();
    }
  });

  it('streams output as it comes, and its end', async () => {
    const events = await streamOver(base(), ann, 'execute_python', {
      code: 'import sys\nprint("one", flush=True)\nprint("two", file=sys.stderr)',
    });
    const last = events.at(-1);
    const outputs = events.filter(({ event }) => event === 'output').map(({ data }) => data);
    // A line may come in pieces.
    const textOf = (name: string) =>
      outputs
        .filter(({ stream }) => stream === name)
        .map(({ text }) => text)
        .join('');
    assert.deepEqual([textOf('stdout'), textOf('stderr')], ['one\n', 'two\n']);
    assert.equal(last?.event, 'result');
    assert.equal(plain(last.data), 'Output:\none\n\nErrors:\ntwo\n\n');
  });

  it('what takes longer than it may is ended, which is no error', async () => {
    const said = await client.call('execute_python', { code: 'while True: pass' });
    assert.equal(said, 'Execution timed out after 5 seconds');
  });

  it('packages are names and versions, not what an installer would take for more', async () => {
    const call = executeOver(base(), { 'X-User': 'eve' });
    const packages = ['--index-url=http://127.0.0.1/simple', './here', 'six @ http://127.0.0.1/six.whl', ''];
    const lines = (await call('install_dependencies', { packages })).split('\n');
    assert.deepEqual(
      lines.map((line) => line.slice(0, line.indexOf(':'))),
      packages.map((name) => `✗ Failed to install ${name.split(':')[0]}`),
    );
  });

  it('wrong calls are refused, in words of the tool where it is one of them', async () => {
    for (const body of [{ arguments: { code: '' } }, []]) {
      for (const path of ['/execute', '/execute/stream']) {
        assert.equal((await post(base() + path, body, ann)).status, 400, JSON.stringify(body));
      }
    }
    const wrong: [name: string, args: Record<string, unknown>, said: RegExp][] = [
      ['execute_python', {}, /code/],
      ['execute_python', { code: 1 }, /code/],
      ['install_dependencies', { packages: 'six' }, /packages/],
      ['run_python', {}, /^Unknown tool: run_python$/],
    ];
    for (const [name, args, said] of wrong) {
      const answers = [
        await client.client.callTool({ name, arguments: args }),
        await (await post(`${base()}/execute`, { name, arguments: args }, ann)).json(),
      ] as { isError: boolean; content: { text: string }[] }[];
      for (const { isError, content } of answers) {
        assert.equal(isError, true);
        assert.match(content[0]?.text ?? '', said);
      }
    }
    assert.equal(
      (await post(`${base()}/execute`, { name: 'execute_python', arguments: { code: '' } }, {})).status,
      401,
    );
  });
});
