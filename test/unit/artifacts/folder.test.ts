import assert from 'node:assert/strict';
import { readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { StoreError } from '../../../src/artifacts/blobs.ts';
import { folderBlobs } from '../../../src/artifacts/folder.ts';
import {
  chunks,
  content,
  forever,
  keepsTheContract,
  keys,
  stalling,
  temporaryFolder,
} from '../support/blobs.ts';

describe('folderBlobs', () => {
  keepsTheContract(async (t) => folderBlobs(join(await temporaryFolder(t), 'made', 'later')));

  it('lets nobody else read', async (t) => {
    const root = join(await temporaryFolder(t), 'root');
    await folderBlobs(root).write('a/b', chunks('x'), forever);
    for (const [path, mode] of [
      [root, 0o700],
      [join(root, 'a'), 0o700],
      [join(root, 'a/b'), 0o600],
    ] as const) {
      assert.equal((await stat(path)).mode & 0o777, mode, path);
    }
  });

  it('shows nothing before it is whole', async (t) => {
    const root = await temporaryFolder(t);
    const blobs = folderBlobs(root);
    const abort = new AbortController();
    const writing = blobs.write('a/b', stalling(abort.signal, 'some'), abort.signal);
    const deadline = performance.now() + 5000;
    while ((await readdir(root)).length === 0) assert.ok(performance.now() < deadline);
    assert.deepEqual(await keys(blobs), []);
    assert.equal(await content(blobs, 'a/b'), undefined);
    abort.abort();
    await assert.rejects(writing);
    assert.deepEqual(await readdir(join(root, 'a')), []);
  });

  it('removes what writes have left that never came to an end', async (t) => {
    const root = await temporaryFolder(t);
    const blobs = folderBlobs(root);
    await blobs.write('a/b', chunks('x'), forever);
    const left = join(root, 'a/c.abcdefgh.partial');
    for (const path of [left, join(root, 'a/d.abcdefgh.partial')]) await writeFile(path, 'some');
    await utimes(left, new Date(1000), new Date(1000));
    assert.deepEqual(await keys(blobs), ['a/b']);
    await blobs.removeUnfinished(new Date(2000), forever);
    assert.deepEqual((await readdir(join(root, 'a'))).sort(), ['b', 'd.abcdefgh.partial']);
  });

  it('takes the folder of the last key away', async (t) => {
    const root = await temporaryFolder(t);
    const blobs = folderBlobs(root);
    await blobs.write('a/b', chunks('x'), forever);
    await blobs.write('a/c', chunks('x'), forever);
    await blobs.remove(['a/b'], forever);
    assert.deepEqual(await readdir(root), ['a']);
    await blobs.remove(['a/c'], forever);
    assert.deepEqual(await readdir(root), []);
  });

  it('lists no links', async (t) => {
    const root = await temporaryFolder(t);
    const blobs = folderBlobs(root);
    await blobs.write('a/b', chunks('x'), forever);
    await symlink('/etc/passwd', join(root, 'a/c'));
    await symlink('/etc', join(root, 'b'));
    assert.deepEqual(await keys(blobs), ['a/b']);
  });

  it('says what is wrong with its folder', async (t) => {
    const root = await temporaryFolder(t);
    await writeFile(join(root, 'file'), '');
    const blobs = folderBlobs(join(root, 'file'));
    await assert.rejects(blobs.write('a/b', chunks('x'), forever), {
      name: 'StoreError',
      message: 'its folder cannot be used (ENOTDIR)',
    });
    await assert.rejects(blobs.read('a/b', undefined, forever), StoreError);
  });

  it('says that it may not write', async () => {
    // Nobody may make a folder there, root neither.
    await assert.rejects(folderBlobs('/sys').write('a/b', chunks('x'), forever), {
      name: 'StoreError',
      message: /^(it may not use its folder|its folder is read-only)$/,
    });
  });
});
