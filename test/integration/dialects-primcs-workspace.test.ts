import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connected, writing } from './dialects-primcs-client.ts';
import { handleOf, type Program } from './dialects-workspaces.ts';

describe('the workspace of a PRIMCS session', () => {
  it('is empty before its first run, and no sandbox is made to look', async (t) => {
    const { tool, failure, workspaces } = await connected(t);
    const { structuredContent, content } = await tool('list_dir', {});
    assert.deepEqual([structuredContent, content[0]?.text], [{ result: [] }, '[]']);
    assert.equal(
      await failure('list_dir', { dir_path: 'output' }),
      "Error calling tool 'list_dir': Specified path is not a directory",
    );
    assert.equal(
      await failure('preview_file', { relative_path: 'a' }),
      "Error calling tool 'preview_file': File not found",
    );
    assert.equal(workspaces.size, 0);
  });

  it('is listed', async (t) => {
    const { tool, failure } = await connected(t, { program: writing });
    await tool('run_code', { code: 'a.txt' });
    const entry = { size: 0, modified: '2026-01-01T00:00:01.000' };
    const { structuredContent, content } = await tool('list_dir', { dir_path: null });
    assert.deepEqual(structuredContent, {
      result: [
        { name: 'mounts', path: 'mounts', type: 'directory', ...entry },
        { name: 'output', path: 'output', type: 'directory', ...entry },
      ],
    });
    assert.deepEqual(JSON.parse(content[0]?.text ?? ''), structuredContent.result);
    const below = await tool('list_dir', { dir_path: './output/' });
    assert.deepEqual(below.structuredContent, {
      result: [{ name: 'a.txt', path: 'output/a.txt', type: 'file', ...entry, size: 15 }],
    });
    const notBelow = "Path must be relative to session root and may not contain '..'.";
    for (const dir_path of ['..', 'a/../..', '/etc'])
      assert.equal(await failure('list_dir', { dir_path }), `Error calling tool 'list_dir': ${notBelow}`);
  });

  it('is listed with the number of what is not', async (t) => {
    const { tool, behind } = await connected(t, { program: writing });
    await tool('run_code', { code: 'a.txt' });
    const { list } = behind.sessions;
    behind.sessions.list = async (...given) => ({ ...(await list(...given)), left_out: 7 });
    const { structuredContent, content } = await tool('list_dir', { dir_path: 'output' });
    const [first, note, ...more] = content.map(({ text }) => text);
    assert.deepEqual(structuredContent, { result: JSON.parse(String(first)) as unknown });
    assert.deepEqual([note, more], ['There are 7 more, which are not listed.', []]);
  });

  it('is looked into', async (t) => {
    const { tool, failure, workspace } = await connected(t, { program: writing });
    await tool('run_code', { code: 'a.txt' });
    workspace()?.set('large.csv', Buffer.alloc(32_768, 'x'));
    workspace()?.set('larger.csv', Buffer.alloc(32_769));
    workspace()?.set('odd.bin', Buffer.from([0x61, 0xff]));
    workspace()?.set('link', 'link');
    assert.deepEqual((await tool('preview_file', { relative_path: 'output/a.txt' })).structuredContent, {
      name: 'a.txt',
      path: 'output/a.txt',
      size: 15,
      mime: 'text/plain',
      content: 'a.txta.txta.txt',
    });
    const large = (await tool('preview_file', { relative_path: 'large.csv' })).structuredContent;
    assert.deepEqual([large?.size, String(large?.content).length], [32_768, 8192]);
    assert.equal(
      (await tool('preview_file', { relative_path: 'odd.bin' })).structuredContent?.content,
      'a\ufffd',
    );
    const failures = [
      ['larger.csv', 'File too large for preview'],
      ['nothing', 'File not found'],
      ['output', 'File not found'],
      ['link', 'File not found'],
    ];
    for (const [relative_path, text] of failures)
      assert.equal(
        await failure('preview_file', { relative_path }),
        `Error calling tool 'preview_file': ${text}`,
      );
  });

  it('takes files that later runs find', async (t) => {
    const program: Program = ({ files }, workspace) => {
      workspace.set('mounts/data', 'folder');
      for (const { path = '', url = '' } of files) workspace.set(`mounts/${path}`, Buffer.from(url));
      return {};
    };
    const settings = { fetchHosts: ['example.org'] };
    const { tool, failure, requests } = await connected(t, { program, settings });
    const url = 'https://example.org/data.csv?signature=a%2Fb';
    const { structuredContent } = await tool('mount_file', { url, mount_path: 'data/./my.csv' });
    assert.deepEqual(structuredContent, { mounted_as: 'mounts/data/my.csv', bytes: url.length });
    assert.deepEqual(
      requests.map(({ code, files }) => [code, files]),
      [['', [{ path: 'data/my.csv', url }]]],
    );
    for (const mount_path of ['', '/a', '../a', 'a/../b', '..'])
      assert.equal(
        await failure('mount_file', { url, mount_path }),
        "Error calling tool 'mount_file': mount_path must be a relative path without '..'",
      );
    for (const mount_path of ['.', './'])
      assert.equal(
        await failure('mount_file', { url, mount_path }),
        "Error calling tool 'mount_file': mount_path must name a file: this is mounts/ itself",
      );
    assert.match(
      (await failure('mount_file', { url: 'ftp://example.org/a', mount_path: 'a' })) ?? '',
      /a URL of "ftp:" is not fetched/,
    );
  });

  it('says why a file could not be put there', async (t) => {
    const failed = { status: 'failed' as const, exit_code: 1, message: 'The code exited with code 1.' };
    let stderr = 'mounts/data is a folder\n';
    const program: Program = () => ({ ...failed, stderr });
    const { failure } = await connected(t, { program, settings: { fetchHosts: ['example.org'] } });
    const mount = () => failure('mount_file', { url: 'https://example.org/a', mount_path: 'data' });
    assert.equal(await mount(), "Error calling tool 'mount_file': mounts/data is a folder");
    stderr = '';
    assert.equal(await mount(), `Error calling tool 'mount_file': ${failed.message}`);
  });

  it('ends when its client says that it goes', async (t) => {
    const { tool, transport, workspaces, session, url } = await connected(t);
    await tool('run_code', { code: 'x' });
    assert.equal(workspaces.size, 1);
    await transport.terminateSession();
    assert.equal(workspaces.size, 0);
    const again = await fetch(`${url}/mcp/`, { method: 'DELETE', headers: { 'mcp-session-id': session } });
    assert.equal(again.status, 200);
  });

  it('is its caller’s', async (t) => {
    const settings = { callerHeader: 'x-caller' };
    const headers = { 'x-caller': 'alice' };
    const { tool, workspaces, session, url } = await connected(t, { program: writing, settings, headers });
    await tool('run_code', { code: 'a.txt' });
    assert.deepEqual([...workspaces.keys()], [handleOf(session, 'alice')]);
    const get = (caller: object) =>
      fetch(`${url}/artifacts/a.txt`, { headers: { 'mcp-session-id': session, ...caller } });
    assert.equal((await get(headers)).status, 200);
    assert.equal((await get({ 'x-caller': 'bob' })).status, 404);
    assert.equal((await get({})).status, 401);
  });
});
