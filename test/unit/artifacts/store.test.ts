import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import type { Blobs } from '../../../src/artifacts/blobs.ts';
import { folderBlobs } from '../../../src/artifacts/folder.ts';
import { newArtifactId } from '../../../src/artifacts/id.ts';
import { createArtifactStore, mimeTypeOf, type ArtifactHead } from '../../../src/artifacts/store.ts';
import { newExecutionId } from '../../../src/request/execution-id.ts';
import { chunks, failing, forever, keys, temporaryFolder } from '../support/blobs.ts';

const executionId = newExecutionId();

function head(changes: Partial<ArtifactHead> = {}): ArtifactHead {
  return {
    id: newArtifactId(executionId),
    executionId,
    caller: 'ada',
    index: 0,
    path: 'plots/ä b.csv',
    kind: 'output',
    ...changes,
  };
}

async function opened(t: TestContext, changes: Partial<Blobs> = {}, maxAgeSeconds = 60) {
  const blobs = { ...folderBlobs(await temporaryFolder(t)), ...changes };
  return { blobs, store: createArtifactStore(blobs, { maxAgeSeconds }) };
}

describe('createArtifactStore', () => {
  it('keeps what an artifact is, and its bytes', async (t) => {
    const { store } = await opened(t);
    const { id, ...rest } = head();
    const put = await store.put({ id, ...rest }, chunks('a,b\n', '1,2\n'), forever);
    const { created, ...artifact } = put;
    assert.ok(Math.abs(Date.parse(created) - Date.now()) < 5000);
    assert.deepEqual(artifact, {
      id,
      execution_id: executionId,
      caller: 'ada',
      index: 0,
      path: 'plots/ä b.csv',
      name: 'ä b.csv',
      kind: 'output',
      mime_type: 'text/csv',
      size: 8,
      sha256: createHash('sha256').update('a,b\n1,2\n').digest('hex'),
    });
    const found = await store.get(id, 'ada', forever);
    assert.deepEqual(found?.artifact, put);
    assert.equal(found.expires.getTime(), Date.parse(created) + 60_000);
    const read = async (range?: { start: number; end: number }) => {
      const stream = await found.read(range, forever);
      return stream && (await text(stream));
    };
    assert.equal(await read(), 'a,b\n1,2\n');
    assert.equal(await read({ start: 2, end: 4 }), 'b\n1');
  });

  it('gives nothing to another caller', async (t) => {
    const { store } = await opened(t);
    const { id } = await store.put(head(), chunks('x'), forever);
    for (const caller of ['', 'bob', 'Ada']) {
      assert.equal(await store.get(id, caller, forever), undefined);
      assert.deepEqual(await store.list(executionId, caller, forever), []);
    }
  });

  it('has nothing under another id, or what is none', async (t) => {
    const { store } = await opened(t);
    await store.put(head(), chunks('x'), forever);
    for (const id of [newArtifactId(executionId), newArtifactId(newExecutionId()), '../x', '', executionId]) {
      assert.equal(await store.get(id, 'ada', forever), undefined);
    }
    await assert.rejects(store.put(head({ id: 'x' }), chunks('x'), forever), TypeError);
  });

  it('lists the artifacts of a run in their order', async (t) => {
    const { store } = await opened(t);
    for (const index of [2, 0, 11, 1]) {
      await store.put(head({ index, path: `${index}.txt` }), chunks('x'), forever);
    }
    const other = newExecutionId();
    await store.put(head({ id: newArtifactId(other), executionId: other }), chunks('x'), forever);
    const listed = await store.list(executionId, 'ada', forever);
    assert.deepEqual(
      listed.map(({ path }) => path),
      ['0.txt', '1.txt', '2.txt', '11.txt'],
    );
    assert.deepEqual(await store.list(newExecutionId(), 'ada', forever), []);
  });

  it('forgets what is too old', async (t) => {
    const { store } = await opened(t);
    const { id } = await store.put(head(), chunks('x'), forever);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    assert.equal(await store.get(id, 'ada', forever), undefined);
    assert.deepEqual(await store.list(executionId, 'ada', forever), []);
  });

  it('keeps nothing of what breaks off', async (t) => {
    const { store, blobs } = await opened(t);
    await assert.rejects(store.put(head(), failing(new Error('broken'), 'x'), forever), {
      message: 'broken',
    });
    assert.deepEqual(await keys(blobs), []);
  });

  it('keeps no data without what is known about it', async (t) => {
    const folder = folderBlobs(await temporaryFolder(t));
    const { store } = await opened(t, {
      ...folder,
      write: (key, bytes, signal) =>
        key.endsWith('.json') ? Promise.reject(new Error('full')) : folder.write(key, bytes, signal),
    });
    await assert.rejects(store.put(head(), chunks('x'), forever), { message: 'full' });
    assert.deepEqual(await keys(folder), []);
  });

  it('does not show an artifact before all of it is there', async (t) => {
    const { store, blobs } = await opened(t);
    const { id } = await store.put(head(), chunks('x'), forever);
    await blobs.remove([`${id.replace('-', '/')}.json`], forever);
    assert.equal(await store.get(id, 'ada', forever), undefined);
    assert.deepEqual(await store.list(executionId, 'ada', forever), []);
  });

  it('tells where the data has gone meanwhile', async (t) => {
    const { store, blobs } = await opened(t);
    const { id } = await store.put(head(), chunks('x'), forever);
    await blobs.remove([id.replace('-', '/')], forever);
    const found = await store.get(id, 'ada', forever);
    assert.equal(await found?.read(undefined, forever), undefined);
  });

  it('says that the store broke off, and not whose signal ended it', async (t) => {
    const broken = new Error('aborted');
    const { store } = await opened(t, {
      read: () => Promise.resolve(Readable.from(failing(broken, '{"id'))),
    });
    const id = newArtifactId(executionId);
    await assert.rejects(store.get(id, 'ada', forever), {
      name: 'StoreError',
      message: 'it broke off while it was read',
      cause: broken,
    });
    const gone = new Error('gone');
    await assert.rejects(store.get(id, 'ada', AbortSignal.abort(gone)), gone);
  });

  it('says that what it finds makes no sense', async (t) => {
    const { store, blobs } = await opened(t);
    const id = newArtifactId(executionId);
    await blobs.write(`${id.replace('-', '/')}.json`, chunks('{"id'), forever);
    await assert.rejects(store.get(id, 'ada', forever), {
      name: 'StoreError',
      message: 'what it has kept about a file cannot be read',
    });
  });
});

describe('mimeTypeOf', () => {
  for (const [name, type] of [
    ['figure-1.png', 'image/png'],
    ['figure-2.html', 'text/html'],
    ['data.csv', 'text/csv'],
    ['DATA.JSON', 'application/json'],
    ['book.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['README', 'application/octet-stream'],
    ['.hidden', 'application/octet-stream'],
    ['what.is.this-', 'application/octet-stream'],
  ] as const) {
    it(name, () => {
      assert.equal(mimeTypeOf(name), type);
    });
  }
});
