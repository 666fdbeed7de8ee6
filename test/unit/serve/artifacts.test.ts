import assert from 'node:assert/strict';
import express from 'express';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get as httpGet } from 'node:http';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { StoreError, type Blobs } from '../../../src/artifacts/blobs.ts';
import { folderBlobs } from '../../../src/artifacts/folder.ts';
import { newArtifactId } from '../../../src/artifacts/id.ts';
import { createArtifactStore, type ArtifactStore } from '../../../src/artifacts/store.ts';
import { createLog } from '../../../src/observe/log.ts';
import { newExecutionId } from '../../../src/request/execution-id.ts';
import { artifactRoutes } from '../../../src/serve/artifacts.ts';
import { callerBy } from '../../../src/serve/caller.ts';
import { errorHandler } from '../../../src/serve/errors.ts';
import { chunks, forever, temporaryFolder } from '../support/blobs.ts';
import { until } from '../support/until.ts';

interface Door {
  store: ArtifactStore;
  /** Ids whose answers broke off. */
  broken: string[];
  ask(id: string, headers?: Record<string, string>, method?: string): Promise<Response>;
  url: string;
}

async function door(t: TestContext, changes: Partial<Blobs> = {}): Promise<Door> {
  const blobs = { ...folderBlobs(await temporaryFolder(t)), ...changes };
  const store = createArtifactStore(blobs, { maxAgeSeconds: 600 });
  const broken: string[] = [];
  const app = express().disable('x-powered-by').disable('etag');
  app.use(artifactRoutes(store, callerBy('x-caller'), { broken: (id) => broken.push(id) }));
  app.use(errorHandler(createLog('silent')));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const url = `http://127.0.0.1:${address.port}/v1/artifacts/`;
  const ask: Door['ask'] = (id, headers, method = 'GET') =>
    fetch(url + id, { method, headers: { 'x-caller': 'ada', ...headers } });
  return { store, broken, ask, url };
}

async function keep(store: ArtifactStore, path: string, content: string | Uint8Array): Promise<string> {
  const executionId = newExecutionId();
  const head = { id: newArtifactId(executionId), executionId, caller: 'ada', index: 0, path };
  return (await store.put({ ...head, kind: 'output' }, chunks(content), forever)).id;
}

const etag = (of: string) => `"${createHash('sha256').update(of).digest('hex')}"`;
const digits = '0123456789';

describe('GET /v1/artifacts/:id', () => {
  it('answers with the bytes, to be saved', async (t) => {
    const { store, ask } = await door(t);
    const answer = await ask(await keep(store, 'out/page.html', digits));
    assert.equal(answer.status, 200);
    const headers = Object.fromEntries(answer.headers);
    for (const name of ['date', 'connection', 'keep-alive']) Reflect.deleteProperty(headers, name);
    assert.deepEqual(headers, {
      'accept-ranges': 'bytes',
      'cache-control': headers['cache-control'],
      'content-disposition': 'attachment; filename=page.html',
      'content-length': '10',
      'content-security-policy': "sandbox; default-src 'none'",
      'content-type': 'text/html',
      etag: etag(digits),
      'x-content-type-options': 'nosniff',
    });
    assert.match(headers['cache-control'] ?? '', /^private, max-age=(59\d|600)$/);
    assert.equal(await answer.text(), digits);
  });

  it('answers to HEAD without them', async (t) => {
    const { store, ask } = await door(t);
    const id = await keep(store, 'a.csv', digits);
    const answer = await ask(id, { range: 'bytes=0-1' }, 'HEAD');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-length'), '10');
    assert.equal(answer.headers.get('content-type'), 'text/csv');
    assert.equal(answer.headers.get('content-disposition'), 'attachment; filename=a.csv');
    assert.equal(await answer.text(), '');
  });

  it('answers with what is empty', async (t) => {
    const { store, ask } = await door(t);
    const answer = await ask(await keep(store, 'a', ''));
    assert.deepEqual([answer.status, answer.headers.get('content-length')], [200, '0']);
    assert.equal(await answer.text(), '');
  });

  for (const [name, disposition] of [
    ['a b.txt', 'attachment; filename="a b.txt"'],
    ['say "hi"\\.txt', 'attachment; filename="say \\"hi\\"\\\\.txt"'],
    ['Ünïcödé.txt', `attachment; filename="?n?c?d?.txt"; filename*=UTF-8''%C3%9Cn%C3%AFc%C3%B6d%C3%A9.txt`],
    ['日本.txt', `attachment; filename="??.txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt`],
    ['a\r\nx-evil: 1', `attachment; filename="a??x-evil: 1"; filename*=UTF-8''a%0D%0Ax-evil%3A%201`],
    ['%41.txt', `attachment; filename=%41.txt; filename*=UTF-8''%2541.txt`],
    ['\ud800.txt', `attachment; filename="?.txt"; filename*=UTF-8''%EF%BF%BD.txt`],
    ['..', 'attachment; filename=..'],
  ] as const) {
    it(`names the file ${JSON.stringify(name)}`, async (t) => {
      const { store, ask } = await door(t);
      const answer = await ask(await keep(store, name, digits));
      assert.equal(answer.headers.get('content-disposition'), disposition);
      assert.equal(answer.headers.get('x-evil'), null);
    });
  }

  for (const [range, status, contentRange, body] of [
    ['bytes=0-3', 206, 'bytes 0-3/10', '0123'],
    ['bytes=4-', 206, 'bytes 4-9/10', '456789'],
    ['bytes=-3', 206, 'bytes 7-9/10', '789'],
    ['bytes=8-100', 206, 'bytes 8-9/10', '89'],
    ['bytes=0-9', 206, 'bytes 0-9/10', digits],
    ['bytes=10-', 416, 'bytes */10', ''],
    ['bytes=-0', 416, 'bytes */10', ''],
    ['bytes=0-1,4-5', 200, null, digits],
    ['bytes=5-2', 416, 'bytes */10', ''],
    ['lines=1-2', 200, null, digits],
    ['nonsense', 200, null, digits],
  ] as const) {
    it(`answers to ${range}`, async (t) => {
      const { store, ask } = await door(t);
      const answer = await ask(await keep(store, 'a', digits), { range });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-range'), contentRange);
      assert.equal(answer.headers.get('etag'), etag(digits));
      assert.equal(await answer.text(), body);
      if (status !== 416) assert.equal(answer.headers.get('content-length'), `${body.length}`);
    });
  }

  it('has no range of what is empty', async (t) => {
    const { store, ask } = await door(t);
    const answer = await ask(await keep(store, 'a', ''), { range: 'bytes=0-' });
    assert.equal(answer.status, 416);
  });

  for (const [headers, status] of [
    [{ 'if-none-match': etag(digits) }, 304],
    [{ 'if-none-match': `W/${etag(digits)}` }, 304],
    [{ 'if-none-match': `"other", ${etag(digits)}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"other"' }, 200],
    [{ 'if-none-match': etag(digits), range: 'bytes=0-1' }, 304],
    [{ 'if-range': etag(digits), range: 'bytes=0-1' }, 206],
    [{ 'if-range': '"other"', range: 'bytes=0-1' }, 200],
    [{ 'if-range': `W/${etag(digits)}`, range: 'bytes=0-1' }, 200],
    [{ 'if-range': new Date().toUTCString(), range: 'bytes=0-1' }, 200],
  ] as const) {
    it(`answers ${status} to ${JSON.stringify(headers).replaceAll(/[0-9a-f]{60}/g, '…')}`, async (t) => {
      const { store, ask } = await door(t);
      const answer = await ask(await keep(store, 'a', digits), headers);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('etag'), etag(digits));
      assert.equal((await answer.text()).length, { 304: 0, 206: 2, 200: 10 }[status]);
    });
  }

  it('finds nothing for another caller, or under another id', async (t) => {
    const { store, ask } = await door(t);
    const id = await keep(store, 'a', digits);
    const other = newArtifactId(newExecutionId());
    for (const answer of [
      await ask(id, { 'x-caller': 'bob' }),
      await ask(other),
      await ask('x'),
      await ask('%00'),
    ]) {
      assert.equal(answer.status, 404);
      assert.equal(answer.headers.get('cache-control'), null);
      assert.equal(answer.headers.get('etag'), null);
      const { error } = (await answer.json()) as { error: { code: string } };
      assert.equal(error.code, 'not_found');
    }
    assert.equal((await fetch((await ask(id)).url)).status, 401);
  });

  it('finds nothing where the data has just gone', async (t) => {
    const { store, ask } = await door(t);
    const id = await keep(store, 'a', digits);
    t.mock.method(store, 'get', async (...given: Parameters<ArtifactStore['get']>) => {
      const artifact = (await store.list(id.slice(0, 26), given[1], given[2]))[0];
      return artifact && { artifact, expires: new Date(), read: () => Promise.resolve(undefined) };
    });
    const answer = await ask(id);
    assert.equal(answer.status, 404);
    assert.equal(answer.headers.get('content-disposition'), null);
  });

  it('says that the store fails', async (t) => {
    const { ask } = await door(t, {
      read: () => Promise.reject(new StoreError('it does not answer (ECONNREFUSED)')),
    });
    const answer = await ask(newArtifactId(newExecutionId()));
    assert.equal(answer.status, 503);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, 'artifacts_unavailable');
    assert.equal(error.message, 'The artifact store failed: it does not answer (ECONNREFUSED).');
  });

  it('breaks the answer off where the store fails amid it', async (t) => {
    const { store, ask, broken } = await door(t);
    const id = await keep(store, 'a', 'x'.repeat(100_000));
    const found = await store.get(id, 'ada', forever);
    assert.ok(found);
    const half = () =>
      Promise.resolve(
        Readable.from(
          (function* () {
            yield Buffer.alloc(50_000);
            throw new Error('lost');
          })(),
        ),
      );
    t.mock.method(store, 'get', () => Promise.resolve({ ...found, read: half }));
    const answer = await ask(id);
    await assert.rejects(answer.text());
    assert.deepEqual(broken, [id]);
  });

  it('stops reading when the client goes away', async (t) => {
    const { store, url, broken } = await door(t);
    const id = await keep(store, 'a', Buffer.alloc(20_000_000));
    const found = await store.get(id, 'ada', forever);
    assert.ok(found);
    const opened: Readable[] = [];
    const read: typeof found.read = async (...given) => {
      const stream = await found.read(...given);
      if (stream) opened.push(stream);
      return stream;
    };
    t.mock.method(store, 'get', () => Promise.resolve({ ...found, read }));
    const request = httpGet(url + id, { headers: { 'x-caller': 'ada' }, agent: false });
    request.on('error', () => undefined);
    request.on('response', (response) => {
      response.on('error', () => undefined);
      request.destroy();
    });
    await until(() => opened[0]?.destroyed === true);
    assert.deepEqual(broken, []);
  });
});
