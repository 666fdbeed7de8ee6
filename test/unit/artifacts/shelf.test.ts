import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Blobs } from '../../../src/artifacts/blobs.ts';
import { folderBlobs } from '../../../src/artifacts/folder.ts';
import { artifactIdOf, shelfFolder, shelfKey } from '../../../src/artifacts/id.ts';
import { createShelf } from '../../../src/artifacts/shelf.ts';
import { createArtifactStore } from '../../../src/artifacts/store.ts';
import { sweep, type Removal } from '../../../src/artifacts/sweep.ts';
import { chunks, forever, keys, temporaryFolder } from '../support/blobs.ts';

async function opened(t: TestContext, changes: Partial<Blobs> = {}) {
  const root = await temporaryFolder(t);
  const blobs = { ...folderBlobs(root), ...changes };
  const shelf = createShelf(blobs);
  const put = (folder: string, id: string, text: string, caller = 'ada') =>
    shelf.put({ folder, id, caller, name: `${id}.txt` }, Buffer.from(text), forever);
  const read = async (folder: string, id: string, caller = 'ada') =>
    (await shelf.get(folder, id, caller, forever))?.bytes.toString();
  return { root, blobs, shelf, put, read };
}

describe('createShelf', () => {
  it('keeps a file, and what is known about it', async (t) => {
    const { shelf } = await opened(t);
    const file = { folder: 'V1StGXR8_Z5jdHi6B-myT', id: 'AbC-_9', caller: 'ada', name: 'data/ä b.csv' };
    const put = await shelf.put(file, Buffer.from([0, 255, 10]), forever);
    const { created, ...about } = put;
    assert.deepEqual(about, { ...file, size: 3 });
    assert.ok(Math.abs(Date.parse(created) - Date.now()) < 5000);
    const found = await shelf.get(file.folder, file.id, 'ada', forever);
    assert.deepEqual(found?.about, put);
    assert.deepEqual([...found.bytes], [0, 255, 10]);
  });

  it('replaces a file', async (t) => {
    const { put, read, shelf } = await opened(t);
    await put('folder', 'one', 'first');
    await put('folder', 'one', 'second');
    assert.equal(await read('folder', 'one'), 'second');
    assert.deepEqual(
      (await shelf.list('folder', 'ada', forever)).map(({ size }) => size),
      [6],
    );
  });

  it('tells apart ids that differ in case', async (t) => {
    const { put, read } = await opened(t);
    await put('folder', 'one', 'small');
    await put('folder', 'ONE', 'large');
    await put('Folder', 'one', 'other');
    assert.deepEqual(
      [await read('folder', 'one'), await read('folder', 'ONE'), await read('Folder', 'one')],
      ['small', 'large', 'other'],
    );
  });

  it('gives nobody the files of another caller', async (t) => {
    const { put, read, shelf } = await opened(t);
    await put('folder', 'one', 'ada’s');
    assert.equal(await read('folder', 'one', 'bob'), undefined);
    assert.equal(await read('folder', 'one', ''), undefined);
    assert.deepEqual(await shelf.list('folder', 'bob', forever), []);
    await put('folder', 'one', 'bob’s', 'bob');
    await shelf.remove('folder', 'one', 'bob', forever);
    assert.equal(await read('folder', 'one'), 'ada’s');
    assert.equal(await read('folder', 'one', 'bob'), undefined);
  });

  it('lists a folder, oldest first', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const { put, shelf } = await opened(t);
    const ids = Array.from({ length: 20 }, (_, index) => `file${index}`);
    for (const id of ids) {
      await put('folder', id, id);
      t.mock.timers.setTime(Date.now() + 1);
    }
    await put('another', 'x', 'x');
    assert.deepEqual(
      (await shelf.list('folder', 'ada', forever)).map(({ id }) => id),
      ids,
    );
  });

  it('lists no artifact, whatever the id of its run', async (t) => {
    const { blobs, put, shelf } = await opened(t);
    await put('folder', 'one', 'a');
    const executionId = shelfFolder('ada', 'folder');
    const id = `${executionId}-${'a'.repeat(16)}`;
    const artifact = { id, executionId, caller: 'mallory', index: 0, path: 'a', kind: 'output' } as const;
    await createArtifactStore(blobs, { maxAgeSeconds: 60 }).put(artifact, chunks('b'), forever);
    const listed = await shelf.list('folder', 'ada', forever);
    assert.deepEqual(
      listed.map((file) => file.id),
      ['one'],
    );
  });

  it('removes all of a file, and does not mind what is not there', async (t) => {
    const { put, read, shelf, blobs } = await opened(t);
    await put('folder', 'one', 'x');
    await shelf.remove('folder', 'one', 'ada', forever);
    await shelf.remove('folder', 'one', 'ada', forever);
    assert.equal(await read('folder', 'one'), undefined);
    assert.deepEqual(await keys(blobs), []);
  });

  for (const wrong of ['', '.', '../x', 'a/b', 'a b', 'ä', 'a'.repeat(65)]) {
    it(`refuses the name ${JSON.stringify(wrong.slice(0, 10))}`, async (t) => {
      const { put, read, shelf } = await opened(t);
      await assert.rejects(put(wrong, 'one', 'x'), TypeError);
      await assert.rejects(put('one', wrong, 'x'), TypeError);
      await assert.rejects(read('one', wrong), TypeError);
      await assert.rejects(shelf.list(wrong, 'ada', forever), TypeError);
      await assert.rejects(shelf.remove('one', wrong, 'ada', forever), TypeError);
    });
  }

  it('keeps nothing where the store fails', async (t) => {
    const broken = new Error('broken');
    const folder = folderBlobs(await temporaryFolder(t));
    const { put, blobs } = await opened(t, {
      write: (key, bytes, signal) =>
        key.endsWith('.json') ? Promise.reject(broken) : folder.write(key, bytes, signal),
      list: (prefix, signal) => folder.list(prefix, signal),
      remove: (names, signal) => folder.remove(names, signal),
    });
    await assert.rejects(put('folder', 'one', 'x'), broken);
    assert.deepEqual(await keys(blobs), []);
  });

  it('is swept by age and by size, with artifacts', async (t) => {
    const { put, read, blobs, root } = await opened(t);
    for (const [id, ageSeconds] of Object.entries({ young: 10, older: 100, old: 1000 })) {
      await put('folder', id, 'x'.repeat(1000));
      const time = new Date(Date.now() - ageSeconds * 1000);
      const key = shelfKey('ada', 'folder', id);
      await utimes(join(root, key), time, time);
      await utimes(join(root, `${key}.json`), time, time);
    }
    const removals: Removal[] = [];
    await sweep(blobs, { maxAgeSeconds: 500, maxBytes: 1500 }, (removal) => removals.push(removal), forever);
    assert.deepEqual(removals.map(({ reason, artifacts }) => [reason, artifacts]).sort(), [
      ['age', 1],
      ['size', 1],
    ]);
    assert.equal((await read('folder', 'young'))?.length, 1000);
    assert.equal(await read('folder', 'older'), undefined);
    assert.equal(await read('folder', 'old'), undefined);
  });

  it('is no way to an artifact, nor an artifact to it', async (t) => {
    const { put, blobs } = await opened(t);
    await put('folder', 'one', 'x');
    const artifacts = createArtifactStore(blobs, { maxAgeSeconds: 60 });
    const id = artifactIdOf(shelfKey('ada', 'folder', 'one'));
    assert.ok(id);
    assert.equal(await artifacts.get(id, 'ada', forever), undefined);
    assert.deepEqual(await artifacts.list(shelfFolder('ada', 'folder'), 'ada', forever), []);
  });
});
