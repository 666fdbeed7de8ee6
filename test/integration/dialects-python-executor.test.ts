import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connect, kinds, type ToolAnswer } from '../e2e/harness/clients.ts';
import { ServiceError } from '../../src/result/errors.ts';
import { pythonExecutor } from '../../src/serve/dialects/python-executor/python-executor.ts';
import { dialectDoor, type Program } from './dialects-workspaces.ts';
import { until } from './until.ts';

type Options = Parameters<typeof dialectDoor>[2];

const alice = { 'x-caller': 'alice' };

async function opened(t: TestContext, options: Options = {}) {
  const door = await dialectDoor(t, pythonExecutor, options);
  const post = (path: string, body: unknown, headers: object = {}) =>
    fetch(door.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    ...door,
    post,
    /** What a tool says over HTTP. */
    async said(name: string, given: object = {}, headers: object = {}) {
      const response = await post('/execute', { name, arguments: given }, headers);
      const { content, isError } = (await response.json()) as {
        content: { text: string }[];
        isError: boolean;
      };
      assert.deepEqual([response.status, content.length], [200, 1]);
      return { text: content[0]?.text, isError };
    },
  };
}

function textOf({ content }: ToolAnswer): string | undefined {
  const [block, ...more] = content as { type: string; text: string }[];
  assert.deepEqual(more, []);
  return block?.text;
}

for (const kind of kinds) {
  describe(`MCP Python Executor, for ${kind}`, () => {
    it('has its tools, which answer in one text', async (t) => {
      const { url, requests } = await opened(t);
      const client = await connect(kind, `${url}/mcp/`);
      t.after(() => client.close());
      assert.deepEqual(await client.tools(), [
        'install_dependencies',
        'execute_python',
        'list_installed_packages',
      ]);
      assert.equal(textOf(await client.tool('execute_python', { code: 'x' })), 'Output:\none\ntwo\n\n');
      assert.equal(requests[0]?.timeout_seconds, 30);
      assert.equal(
        textOf(await client.tool('install_dependencies', { packages: ['Polars', 'nonsense', '../x'] })),
        [
          '✓ Successfully installed Polars',
          `✗ Failed to install nonsense: There is no package "nonsense". Correct the requirements, or require less at one time: the text says why.`,
          '✗ Failed to install ../x: "../x": paths are not taken: name the package and a version of it, as in "numpy==2.1.0"',
        ].join('\n'),
      );
      assert.equal(
        textOf(await client.tool('list_installed_packages', {})),
        'Installed packages:\nnumpy==1.0\npolars==1.0',
      );
      await client.tool('execute_python', { code: 'x' });
      assert.deepEqual(requests[1]?.requirements, ['polars']);
      const wrong = await client.tool('execute_python', {});
      assert.deepEqual(
        [wrong.isError, textOf(wrong)],
        [true, 'Input validation error: code: Invalid input: expected string, received undefined'],
      );
      const unknown = await client.tool('rm', {});
      assert.deepEqual([unknown.isError, textOf(unknown)], [true, 'Unknown tool: rm']);
    });
  });
}

describe('MCP Python Executor over HTTP', () => {
  it('answers MCP in one JSON body, for clients that take no streams, too', async (t) => {
    const { post, url } = await opened(t);
    const call = { jsonrpc: '2.0', id: 7, method: 'tools/call' };
    const params = { name: 'execute_python', arguments: { code: 'x' } };
    for (const accept of ['application/json', 'application/json, text/event-stream', '*/*']) {
      const response = await post('/mcp/', { ...call, params }, { accept });
      assert.equal(response.headers.get('content-type'), 'application/json');
      const { id, result } = (await response.json()) as { id: number; result: ToolAnswer };
      assert.deepEqual([id, textOf(result)], [7, 'Output:\none\ntwo\n\n']);
    }
    const moved = await fetch(`${url}/mcp`, { method: 'POST', redirect: 'manual' });
    assert.deepEqual([moved.status, moved.headers.get('location')], [307, '/mcp/']);
  });

  it('says that it is well, and which tools it has', async (t) => {
    const { url } = await opened(t);
    const get = async (path: string) => {
      const response = await fetch(url + path);
      return [response.status, await response.json()] as [number, { tools: { name: string }[] }];
    };
    assert.deepEqual(await get('/health'), [200, { status: 'healthy' }]);
    const [, { tools }] = await get('/tools');
    assert.deepEqual(
      tools.map((tool) => [tool.name, Object.keys(tool)]),
      ['install_dependencies', 'execute_python', 'list_installed_packages'].map((name) => [
        name,
        ['name', 'description', 'inputSchema'],
      ]),
    );
    assert.deepEqual(await get('/other'), [404, { error: 'Not Found' }]);
  });

  it('runs a tool', async (t) => {
    const { said } = await opened(t, { program: () => ({ status: 'timed_out' }) });
    assert.deepEqual(await said('execute_python', { code: 'x' }), {
      text: 'Execution timed out after 30 seconds',
      isError: false,
    });
    assert.deepEqual(await said('list_installed_packages'), {
      text: 'Installed packages:\nnumpy==1.0',
      isError: false,
    });
  });

  it('tells why code did not run', async (t) => {
    const program: Program = () => {
      throw new ServiceError('queue_full', 'Too many wait.', { retryAfterSeconds: 2.5 });
    };
    const { post } = await opened(t, { program });
    for (const path of ['/execute', '/execute/stream']) {
      const response = await post(path, { name: 'execute_python', arguments: { code: 'x' } });
      assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '3']);
      const { content, isError } = (await response.json()) as ToolAnswer;
      assert.match(JSON.stringify(content), /"text":"Execution error: Too many wait\. Try again/);
      assert.equal(isError, true);
    }
  });

  it('refuses what is no call', async (t) => {
    const { post } = await opened(t);
    for (const [body, text] of [
      ['{', /^The body is not JSON: /],
      ['[]', /^body: /],
      ['{}', /^name: /],
      ['{"name":"x","arguments":[]}', /^arguments: /],
    ] as const) {
      const response = await post('/execute', body);
      assert.equal(response.status, 400);
      assert.match(((await response.json()) as { error: string }).error, text);
    }
  });

  it('streams what the code writes as it comes', async (t) => {
    const goesOn = Promise.withResolvers<undefined>();
    const program: Program = async (_request, _workspace, { onEvent }) => {
      onEvent?.({ seq: 0, type: 'stdout', text: 'one\n' });
      await goesOn.promise;
      onEvent?.({ seq: 1, type: 'stderr', base64: Buffer.of(0xc3).toString('base64') });
      onEvent?.({ seq: 2, type: 'stderr', base64: Buffer.of(0xbc).toString('base64') });
      return { stdout: 'one\n', stderr: 'ü' };
    };
    const { post } = await opened(t, { program });
    const response = await post('/execute/stream', { name: 'execute_python', arguments: { code: 'x' } });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    let stream = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      stream += chunk;
      if (stream.includes('one')) goesOn.resolve(undefined);
    }
    assert.equal(
      stream,
      [
        'event: output\ndata: {"stream":"stdout","text":"one\\n"}\n\n',
        'event: output\ndata: {"stream":"stderr","text":"ü"}\n\n',
        'event: result\ndata: {"content":[{"type":"text","text":"Output:\\none\\n\\nErrors:\\nü\\n"}],"isError":false}\n\n',
      ].join(''),
    );
  });

  it('ends a run whose client goes', async (t) => {
    let signal: AbortSignal | undefined;
    const program: Program = async (_request, _workspace, options) => {
      ({ signal } = options);
      options.onEvent?.({ seq: 0, type: 'stdout', text: 'one\n' });
      return await new Promise((_resolve, reject) => {
        options.signal.addEventListener('abort', () => {
          reject(options.signal.reason as Error);
        });
      });
    };
    const { post } = await opened(t, { program });
    const response = await post('/execute/stream', { name: 'execute_python', arguments: { code: 'x' } });
    await response.body?.cancel();
    await until(() => signal?.aborted === true);
  });
});

describe('what is installed', () => {
  it('is its caller’s', async (t) => {
    const { said, requests, post } = await opened(t, { settings: { callerHeader: 'x-caller' } });
    await said('install_dependencies', { packages: ['polars==1.0'] }, alice);
    await said('install_dependencies', { packages: ['polars', 'httpx'] }, alice);
    for (const headers of [alice, { 'x-caller': 'bob' }])
      await said('execute_python', { code: 'x' }, headers);
    assert.deepEqual(
      requests.map(({ requirements }) => requirements.sort()),
      [['httpx', 'polars==1.0'], []],
    );
    assert.equal((await post('/execute', { name: 'execute_python', arguments: { code: 'x' } })).status, 401);
  });

  it('goes together, also where it is installed at one time', async (t) => {
    const { said, behind, requests } = await opened(t);
    const { listPackages } = behind.offers;
    behind.offers.listPackages = (requirements, options) =>
      requirements.length > 1
        ? Promise.reject(new ServiceError('build_failed', 'They conflict.'))
        : listPackages(requirements, options);
    const texts = await Promise.all(
      ['urllib3==2.2.0', 'requests==2.29.0'].map((each) =>
        said('install_dependencies', { packages: [each] }),
      ),
    );
    assert.deepEqual(texts.map(({ text }) => text?.slice(0, 10)).sort(), ['✓ Successf', '✗ Failed t']);
    await said('execute_python', { code: 'x' });
    assert.equal(requests[0]?.requirements.length, 1);
  });

  it('has 60 s to be installed, its turn included', async (t) => {
    const time = new AbortController();
    const { timeout } = AbortSignal;
    t.mock.method(AbortSignal, 'timeout', (ms: number) => (ms === 60_000 ? time.signal : timeout(ms)));
    const { said, behind } = await opened(t);
    let builds = 0;
    behind.offers.listPackages = (_requirements, { signal }) => {
      builds += 1;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    };
    const answers = ['polars', 'httpx'].map((each) => said('install_dependencies', { packages: [each] }));
    await until(() => builds === 1);
    time.abort(new DOMException('Over.', 'TimeoutError'));
    assert.deepEqual(
      (await Promise.all(answers)).map(({ text }) => text),
      ['✗ Installation of polars timed out', '✗ Installation of httpx timed out'],
    );
  });

  it('is named by 50 packages at most', async (t) => {
    const { said } = await opened(t);
    const packages = Array.from({ length: 51 }, () => 'polars');
    assert.deepEqual(await said('install_dependencies', { packages }), {
      text: 'Input validation error: packages: there are more than 50: install fewer at one time',
      isError: true,
    });
  });

  it('is what the operator allows', async (t) => {
    const settings = { packagesDenied: ['httpx'] };
    const { said, behind, requests } = await opened(t, { settings });
    const { signal } = new AbortController();
    await behind.shelf.put(
      { folder: 'python-executor', id: 'a', caller: '', name: 'httpx' },
      new Uint8Array(),
      signal,
    );
    await said('execute_python', { code: 'x' });
    assert.deepEqual(requests[0]?.requirements, []);
    const { text } = await said('install_dependencies', { packages: ['httpx'] });
    assert.match(text ?? '', /^✗ Failed to install httpx: .*\(packagesDenied\)$/);
  });
});
