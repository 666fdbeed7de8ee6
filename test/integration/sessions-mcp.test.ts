import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connect, kinds, type Caller, type ClientKind, type ToolAnswer } from '../e2e/harness/clients.ts';
import { handle, view } from '../unit/support/fake-sessions.ts';
import { callerHeader, owner, sessionsDoor } from './sessions-door.ts';

async function connected(t: TestContext, kind: ClientKind, caller = owner) {
  const door = await sessionsDoor(t);
  const client = await connect(kind, `${door.url}/mcp`, {
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set(callerHeader, caller);
      return fetch(input, { ...init, headers });
    },
  });
  t.after(() => client.close());
  return { ...door, client };
}

/** A tool's answer: what a model reads, and what a program does. */
async function use(client: Caller, tool: string, request: object) {
  const answer: ToolAnswer = await client.tool(tool, { ...request });
  const [block] = answer.content as { type: string; text?: string; data?: string; mimeType?: string }[];
  return { isError: answer.isError, block, structured: answer.structuredContent };
}

for (const kind of kinds) {
  describe(`sessions: ${kind}`, () => {
    it('are created, with what was asked for', async (t) => {
      const { client, sessions } = await connected(t, kind);
      const messages: string[] = [];
      const onProgress = (message: string) => messages.push(message);
      const request = { requirements: ['polars'], timeout_seconds: 5, idle_seconds: 60, limits: { cpu: 2 } };
      const answer = await client.tool('create_session', request, { onProgress });
      assert.equal(answer.isError, false);
      assert.deepEqual(answer.structuredContent, view);
      assert.deepEqual(sessions.asked[0]?.request, request);
      assert.deepEqual(messages, ['building the environment: Resolved 1 package']);
      const { block } = await use(client, 'create_session', {});
      assert.match(block?.text ?? '', new RegExp(`^session_id: ${handle}\n`));
    });

    it('have files that are written, listed and read', async (t) => {
      const { client, files } = await connected(t, kind);
      const session_id = handle;
      const png = Buffer.from('\x89PNG\r\n\x1a\n\xff', 'latin1');
      const text = await use(client, 'write_file', { session_id, path: 'data/a.txt', content: 'ä\n' });
      assert.deepEqual(text.structured, { path: 'data/a.txt', size: 3 });
      assert.equal(text.block?.text, 'data/a.txt has 3 bytes now.');
      const content_base64 = png.toString('base64');
      await use(client, 'write_file', { session_id, path: 'p.png', content_base64 });
      assert.deepEqual(
        files,
        new Map([
          ...([
            ['data/a.txt', Buffer.from('ä\n')],
            ['p.png', png],
          ] as const),
        ]),
      );

      const listing = await use(client, 'list_files', { session_id, path: '', recursive: true });
      assert.equal(
        listing.block?.text,
        'data/\npipe (no regular file)\ndata/a.txt (3 bytes)\np.png (9 bytes)\nand 2 more',
      );
      assert.equal((listing.structured as { left_out: number }).left_out, 2);

      const read = await use(client, 'read_file', { session_id, path: 'data/a.txt' });
      assert.deepEqual(read.block, { type: 'text', text: 'ä\n' });
      assert.deepEqual(read.structured, {
        path: 'data/a.txt',
        size: 3,
        content: 'ä\n',
        content_base64: null,
      });
      const picture = await use(client, 'read_file', { session_id, path: 'p.png' });
      assert.deepEqual(picture.block, { type: 'image', data: content_base64, mimeType: 'image/png' });
    });

    it('have large files that are not read into a message', async (t) => {
      const { client, files } = await connected(t, kind);
      files.set('large', Buffer.alloc(1_048_577));
      const answer = await use(client, 'read_file', { session_id: handle, path: 'large' });
      assert.equal(answer.isError, true);
      assert.match(answer.block?.text ?? '', /^too_large: large has 1048577 bytes; the most is 1048576\./);
    });

    it('end', async (t) => {
      const { client } = await connected(t, kind);
      const ended = await use(client, 'end_session', { session_id: handle });
      assert.deepEqual([ended.isError, ended.structured], [false, { session_id: handle }]);
      const after = await use(client, 'list_files', { session_id: handle });
      assert.equal(after.isError, true);
      assert.match(after.block?.text ?? '', /^session_ended: The session was ended\. Create a new session/);
    });

    it('are nobody else’s', async (t) => {
      const { client, files } = await connected(t, kind, 'bob');
      const session_id = handle;
      for (const [tool, request] of [
        ['list_files', { session_id }],
        ['read_file', { session_id, path: 'a' }],
        ['write_file', { session_id, path: 'a', content: '' }],
        ['end_session', { session_id }],
      ] as const) {
        const answer = await use(client, tool, request);
        assert.equal(answer.isError, true, tool);
        assert.match(answer.block?.text ?? '', /^not_found: There is no such session for this caller\./);
      }
      assert.equal(files.size, 0);
    });

    it('tell the server of what nobody expects, and of nothing else', async (t) => {
      const { client, failures } = await connected(t, kind);
      const answer = await use(client, 'create_session', { requirements: ['fault'] });
      assert.match(answer.block?.text ?? '', /^internal: /);
      await use(client, 'create_session', {});
      assert.deepEqual(failures, ['create_session: Error: unexpected']);
    });
  });

  describe(`list_runtimes: ${kind}`, () => {
    it('lists languages', async (t) => {
      const { client } = await connected(t, kind);
      const { block, structured } = await use(client, 'list_runtimes', {});
      assert.equal(block?.text, 'python 3.13.5\ngo 1.16.2 (golang), on a shared service');
      assert.equal((structured as { runtimes: object[] }).runtimes.length, 2);
    });
  });
}
