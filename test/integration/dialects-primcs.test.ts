import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { ServiceError } from '../../src/result/errors.ts';
import { primcs } from '../../src/serve/dialects/primcs/primcs.ts';
import { connected, type Answer, writing } from './dialects-primcs-client.ts';
import { dialectDoor, handleOf, type Program } from './dialects-workspaces.ts';

const feedback = /\nFEEDBACK: \S/;

describe('PRIMCS', () => {
  it('has its tools and its prompt', async (t) => {
    const { client } = await connected(t);
    const { tools } = await client.listTools();
    assert.deepEqual(
      tools.map(({ name, inputSchema }) => [name, inputSchema.required ?? []]),
      [
        ['run_code', ['code']],
        ['persist_artifact', ['relative_path', 'presigned_url']],
        ['list_dir', []],
        ['preview_file', ['relative_path']],
        ['mount_file', ['url', 'mount_path']],
      ],
    );
    const { prompts } = await client.listPrompts();
    assert.deepEqual(
      prompts.map(({ name }) => name),
      ['python_programmer'],
    );
    const { messages } = await client.getPrompt({
      name: 'python_programmer',
      arguments: { task: 'Add.', mounted_files: '["a.csv"]' },
    });
    assert.match(JSON.stringify(messages), /<task>\\nAdd\.\\n<\/task>.*\\na\.csv\\n/);
  });

  it('sends /mcp on to /mcp/', async (t) => {
    const { url, client } = await connected(t, { path: '/mcp' });
    assert.equal((await client.listTools()).tools.length, 5);
    const response = await fetch(`${url}/mcp?a=b`, { method: 'POST', redirect: 'manual' });
    assert.deepEqual([response.status, response.headers.get('location')], [307, '/mcp/?a=b']);
    const nothing = await fetch(`${url}/v1/executions`, { method: 'POST' });
    assert.deepEqual([nothing.status, await nothing.text()], [404, 'Not Found']);
  });

  it('has a session for clients of both eras', async (t) => {
    const { url, workspaces } = await dialectDoor(t, primcs);
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp/`)));
    t.after(() => client.close());
    const answer = (await client.callTool({ name: 'run_code', arguments: { code: '1' } })) as Answer;
    const { session_id } = answer.structuredContent ?? {};
    assert.deepEqual([...workspaces.keys()], [handleOf(String(session_id))]);
  });

  it('keeps nothing for clients without a session', async (t) => {
    const many = { total: 1, files: [{ path: 'a.txt', reason: 'count' as const }] };
    const program: Program = ({ code }) => (code === 'many' ? { left_out: many } : {});
    const { url, requests, workspaces } = await dialectDoor(t, primcs, { program });
    const call = async (name: string, given: object, headers = {}) => {
      const accept = 'application/json, text/event-stream';
      const response = await fetch(`${url}/mcp/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, ...headers },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name, arguments: given },
        }),
      });
      const [, data = ''] = /^data: (.*)$/m.exec(await response.text()) ?? [];
      return (JSON.parse(data) as { result: Answer }).result;
    };
    const { structuredContent } = await call('run_code', { code: 'print(1)' });
    assert.deepEqual(structuredContent, { stdout: 'one\ntwo\n', stderr: '', artifacts: [] });
    await call('run_code', { code: 'print(1)' }, { 'mcp-session-id': '' });
    assert.equal(
      (await call('run_code', { code: 'many' })).structuredContent?.stderr,
      'Files that are not kept: a.txt (over the number of files that are kept).\n',
    );
    assert.ok(requests.every(({ session_id }) => session_id === undefined));
    const place = 'https://example.org';
    for (const [tool, given] of [
      ['list_dir', {}],
      ['preview_file', { relative_path: 'a' }],
      ['persist_artifact', { relative_path: 'a', presigned_url: place }],
      ['mount_file', { url: place, mount_path: 'a' }],
    ] as const) {
      const { isError, content } = await call(tool, given);
      assert.equal(isError, true);
      assert.match(content[0]?.text ?? '', new RegExp(`^Error calling tool '${tool}': Missing session_id; `));
    }
    assert.equal(workspaces.size, 0);
  });
});

describe('run_code of PRIMCS', () => {
  it('answers with one text of JSON, twice', async (t) => {
    const { session, tool, requests } = await connected(t);
    const { content, structuredContent, isError } = await tool('run_code', { code: '  print(1)' });
    assert.equal(isError ?? false, false);
    assert.deepEqual(structuredContent, {
      stdout: 'one\ntwo\n',
      stderr: '',
      artifacts: [],
      session_id: session,
    });
    assert.equal(content.length, 1);
    assert.deepEqual(JSON.parse(content[0]?.text ?? ''), structuredContent);
    const [request] = requests;
    assert.deepEqual(
      [request?.code, request?.session_id, request?.fresh_interpreter],
      ['print(1)', handleOf(session), true],
    );
  });

  it('takes an exception for a result', async (t) => {
    const failing = { status: 'failed' as const, exit_code: 1, stdout: '', stderr: 'NameError' };
    const { tool } = await connected(t, { program: () => failing });
    const { isError, structuredContent } = await tool('run_code', { code: 'x' });
    assert.equal(isError ?? false, false);
    assert.equal(structuredContent?.stderr, 'NameError');
    assert.match(String(structuredContent.feedback), /print/);
  });

  it('gathers the artifacts of a session', async (t) => {
    const { tool } = await connected(t, { program: writing });
    const artifact = (name: string) => ({
      name,
      relative_path: name,
      size: name.length * 3,
      mime: 'text/plain',
    });
    const first = await tool('run_code', { code: 'a.txt' });
    assert.deepEqual(first.structuredContent?.artifacts, [artifact('a.txt')]);
    const second = await tool('run_code', { code: 'b.txt' });
    assert.deepEqual(second.structuredContent?.artifacts, [artifact('a.txt'), artifact('b.txt')]);
  });

  it('does without an output folder that the code has removed', async (t) => {
    const program: Program = (_request, workspace) => {
      workspace.delete('output');
      return {};
    };
    const { tool } = await connected(t, { program });
    assert.deepEqual((await tool('run_code', { code: 'x' })).structuredContent?.artifacts, []);
  });

  it('tells of failures in the words of PRIMCS', async (t) => {
    let error: unknown = undefined;
    const program: Program = () => {
      if (error instanceof Error) throw error;
      return { status: 'timed_out' };
    };
    const { failure } = await connected(t, { program, settings: { maxTimeoutSeconds: 60 } });
    const run = (given: object) => failure('run_code', given);
    assert.equal(
      await run({ code: 'x'.repeat(20_001) }),
      "Error calling tool 'run_code': Code block too large (20k char limit)",
    );
    const late = (await run({ code: 'x' })) ?? '';
    assert.match(late, /^Error calling tool 'run_code': Execution timed out after 60s\nFEEDBACK: /);
    error = new ServiceError('build_failed', 'There is no package "nonsense".');
    const lacking = (await run({ code: 'x', requirements: ['nonsense'] })) ?? '';
    assert.match(
      lacking,
      /^Error calling tool 'run_code': pip install failed: There is no package "nonsense"\./,
    );
    assert.match(lacking, feedback);
    const option = (await run({ code: 'x', requirements: ['-e .'] })) ?? '';
    assert.match(option, /^Error calling tool 'run_code': pip install failed: .*options are not taken/);
    const outside = { url: 'https://example.org/a', mountPath: '../../main.py' };
    assert.match(
      (await run({ code: 'x', files: [outside] })) ?? '',
      /cannot have "\." or "\.\." in it.*\nFEEDBACK/,
    );
    assert.equal(
      await run({}),
      "Error calling tool 'run_code': code: Invalid input: expected string, received undefined",
    );
    assert.equal(await failure('rm', {}), 'Unknown tool: rm');
  });
});
