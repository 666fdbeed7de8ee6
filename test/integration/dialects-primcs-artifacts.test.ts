import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { connected, writing } from './dialects-primcs-client.ts';
import { site } from './inputs-support.ts';

describe('artifacts of PRIMCS', () => {
  /** As it is written: URLs of `fetch` have no "..". */
  async function get(url: string, path: string, headers: Record<string, string> = {}) {
    const { hostname, port } = new URL(url);
    const request = httpRequest({ hostname, port, path, headers, agent: false }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
  }

  it('are refused in the order of PRIMCS', async (t) => {
    const { url, tool, session, workspace } = await connected(t, { program: writing });
    await tool('run_code', { code: 'a.txt' });
    workspace()?.set('output/plots', 'folder');
    workspace()?.set('output/link', 'link');
    workspace()?.set('output/plots/link', 'link');
    const mine = { 'mcp-session-id': session };
    const table: [path: string, headers: Record<string, string>, status: number, text: string][] = [
      ['/artifacts/../secret', {}, 400, 'Invalid artifact path'],
      ['/artifacts/%2e%2e/secret', mine, 400, 'Invalid artifact path'],
      ['/artifacts//etc/passwd', {}, 400, 'Invalid artifact path'],
      ['/artifacts/a.txt', {}, 400, 'Missing mcp-session-id header'],
      ['/artifacts/a.txt', { 'mcp-session-id': 'another' }, 404, 'File not found'],
      ['/artifacts/nothing', mine, 404, 'File not found'],
      ['/artifacts/nul%00', mine, 404, 'File not found'],
      ['/artifacts/plots', mine, 404, 'Not a file'],
      ['/artifacts/', mine, 404, 'Not a file'],
      ['/artifacts/a.txt/x', mine, 404, 'File not found'],
      ['/artifacts/a.txt/x/y', mine, 404, 'File not found'],
      ['/artifacts/link', mine, 403, 'Forbidden'],
      ['/artifacts/link/x', mine, 403, 'Forbidden'],
      ['/artifacts/plots/link', mine, 403, 'Forbidden'],
    ];
    for (const [path, headers, status, text] of table) {
      const answer = await get(url, path, headers);
      assert.deepEqual([path, answer.status, answer.body.toString()], [path, status, text]);
    }
  });

  it('are attachments with an ETag', async (t) => {
    const { url, tool, session } = await connected(t, { program: writing });
    await tool('run_code', { code: 'a b.txt' });
    const mine = { 'mcp-session-id': session };
    const { status, headers, body } = await get(url, '/artifacts/a%20b.txt', mine);
    assert.deepEqual([status, body.toString()], [200, 'a b.txt'.repeat(3)]);
    assert.equal(headers['content-disposition'], "attachment; filename*=utf-8''a%20b.txt");
    assert.equal(headers['content-length'], '21');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers.etag, `"${createHash('sha256').update(body).digest('hex')}"`);
    const known = await get(url, '/artifacts/a%20b.txt', { ...mine, 'if-none-match': headers.etag });
    assert.deepEqual([known.status, known.body.length], [304, 0]);
  });

  it('are uploaded, to a URL as it is written', async (t) => {
    const seen: unknown[] = [];
    const { url: bucket } = await site(t, (req, res) => {
      void buffer(req).then((body) => {
        seen.push([
          req.method,
          req.url,
          req.headers['content-length'],
          req.headers['content-type'],
          body.toString(),
        ]);
        res.statusCode = req.url?.startsWith('/forbidden') ? 403 : 200;
        res.end('<Error/>');
      });
    });
    const settings = { fetchHosts: ['127.0.0.1'], fetchNetworks: ['127.0.0.0/8'] };
    const { tool, failure, workspace } = await connected(t, { program: writing, settings });
    await tool('run_code', { code: 'a.txt' });
    const query = "?X-Amz-Signature=a%2Fb%7E~'%20%c3%bc&a=//../b";
    const presigned_url = `${bucket}/x/%2e%2e/./a%20b.txt${query}#part`;
    const { structuredContent } = await tool('persist_artifact', { relative_path: 'a.txt', presigned_url });
    assert.deepEqual(structuredContent, { uploaded_bytes: 15, status: 200 });
    assert.deepEqual(seen, [['PUT', `/x/%2e%2e/./a%20b.txt${query}`, '15', undefined, 'a.txt'.repeat(3)]]);

    workspace()?.set('output/link', 'link');
    workspace()?.set('output/large', Buffer.alloc(20_971_521));
    const failures: [relative_path: string, presigned_url: string, text: string][] = [
      ['a.txt', `${bucket}/forbidden`, 'Upload failed with HTTP 403'],
      ['nothing', bucket, 'Artifact not found: nothing'],
      ['link', bucket, 'Artifact not found: link'],
      ['large', bucket, 'Artifact exceeds size limit (20971520 bytes)'],
      ['../main.py', bucket, "relative_path must be inside output/ and cannot contain '..'"],
    ];
    for (const [relative_path, to, text] of failures)
      assert.equal(
        await failure('persist_artifact', { relative_path, presigned_url: to }),
        `Error calling tool 'persist_artifact': ${text}`,
      );
  });

  it('are uploaded only to where files may be fetched from', async (t) => {
    let reached = false;
    const { url: bucket } = await site(t, (_req, res) => {
      reached = true;
      res.end();
    });
    const refusals: [fetchHosts: string[], text: RegExp][] = [
      [[], /is not among the hosts/],
      [['*'], /it is at an address of this very machine/],
    ];
    for (const [fetchHosts, text] of refusals) {
      const { tool, failure } = await connected(t, { program: writing, settings: { fetchHosts } });
      await tool('run_code', { code: 'a.txt' });
      const said = await failure('persist_artifact', {
        relative_path: 'a.txt',
        presigned_url: `${bucket}/secret`,
      });
      assert.match(said ?? '', text);
      assert.doesNotMatch(said ?? '', /secret/);
    }
    assert.equal(reached, false);
  });
});
