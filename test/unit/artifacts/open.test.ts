import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openBlobs, parseS3 } from '../../../src/artifacts/open.ts';
import { chunks, forever, keys, temporaryFolder } from '../support/blobs.ts';

const amazon = { s3Endpoint: '', s3Region: 'us-east-1', s3PathStyle: false, s3CaFile: '' };

describe('parseS3', () => {
  for (const [store, location] of [
    ['/var/lib/artifacts', undefined],
    ['s3://bucket', { bucket: 'bucket', prefix: '' }],
    ['s3://bucket/', { bucket: 'bucket', prefix: '' }],
    ['s3://bucket/some/where', { bucket: 'bucket', prefix: 'some/where/' }],
    ['s3://bucket//some/', { bucket: 'bucket', prefix: 'some/' }],
  ] as const) {
    it(store, () => {
      assert.deepEqual(parseS3(store), location);
    });
  }
});

describe('openBlobs', () => {
  it('opens a folder', async (t) => {
    const artifactStore = await temporaryFolder(t);
    const blobs = await openBlobs({ ...amazon, artifactStore });
    await blobs.write('a/b', chunks('x'), forever);
    assert.deepEqual(await keys(await openBlobs({ ...amazon, artifactStore })), ['a/b']);
  });

  it('opens a bucket, and asks nothing of it yet', async () => {
    await openBlobs({ ...amazon, artifactStore: 's3://bucket' });
  });

  it('says that the CA file is missing', async (t) => {
    const s3CaFile = join(await temporaryFolder(t), 'ca.crt');
    await assert.rejects(
      openBlobs({ ...amazon, artifactStore: 's3://bucket', s3CaFile }),
      /^Error: The CA file of the S3 server cannot be read: ENOENT/,
    );
  });
});
