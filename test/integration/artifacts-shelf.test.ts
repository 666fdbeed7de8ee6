import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createShelf } from '../../src/artifacts/shelf.ts';
import { sweep, type Removal } from '../../src/artifacts/sweep.ts';
import { s3Fixture } from '../s3/fixture.ts';
import { forever, keys } from '../unit/support/blobs.ts';

const s3 = s3Fixture();

describe('createShelf on S3', () => {
  it('keeps, replaces, lists and removes a caller’s files', async () => {
    const blobs = s3.blobs();
    const shelf = createShelf(blobs);
    const file = (id: string, caller = 'ada') => ({ folder: 'Folder_1', id, caller, name: `${id}/ä.txt` });
    await shelf.put(file('One'), Buffer.from('first'), forever);
    await shelf.put(file('One'), Buffer.from([0, 255]), forever);
    await shelf.put(file('one'), Buffer.alloc(0), forever);
    await shelf.put(file('One', 'bob'), Buffer.from('bob'), forever);

    const found = await shelf.get('Folder_1', 'One', 'ada', forever);
    assert.deepEqual(
      [found?.about.name, found?.about.size, [...(found?.bytes ?? [])]],
      ['One/ä.txt', 2, [0, 255]],
    );
    assert.equal(await shelf.get('Folder_1', 'One', 'eve', forever), undefined);
    const ids = (await shelf.list('Folder_1', 'ada', forever)).map(({ id }) => id);
    assert.deepEqual(ids.sort(), ['One', 'one']);

    await shelf.remove('Folder_1', 'One', 'ada', forever);
    assert.equal(await shelf.get('Folder_1', 'One', 'ada', forever), undefined);
    assert.equal((await shelf.get('Folder_1', 'One', 'bob', forever))?.bytes.toString(), 'bob');
    assert.equal((await keys(blobs)).length, 4);
  });

  it('is swept', async () => {
    const blobs = s3.blobs();
    const shelf = createShelf(blobs);
    for (const id of ['a', 'b', 'c']) {
      await shelf.put({ folder: 'f', id, caller: '', name: id }, Buffer.alloc(1000), forever);
    }
    const removals: Removal[] = [];
    await sweep(blobs, { maxAgeSeconds: 3600, maxBytes: 0 }, (removal) => removals.push(removal), forever);
    assert.deepEqual(
      removals.map(({ reason, artifacts }) => [reason, artifacts]),
      [['size', 3]],
    );
    assert.deepEqual(await keys(blobs), []);
  });
});
