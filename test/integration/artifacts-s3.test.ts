import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { createCollector } from '../../src/artifacts/collect.ts';
import { newArtifactId } from '../../src/artifacts/id.ts';
import { openBlobs } from '../../src/artifacts/open.ts';
import { s3Blobs } from '../../src/artifacts/s3.ts';
import { createArtifactStore } from '../../src/artifacts/store.ts';
import { sweep, type Removal } from '../../src/artifacts/sweep.ts';
import { newExecutionId } from '../../src/request/execution-id.ts';
import { freePort } from '../free-port.ts';
import { s3Fixture } from '../s3/fixture.ts';
import { startS3 } from '../s3/server.ts';
import {
  chunks,
  content,
  failing,
  forever,
  keepsTheContract,
  keys,
  listed,
  stalling,
} from '../unit/support/blobs.ts';
import { fileFrames } from '../unit/support/file-frames.ts';

const s3 = s3Fixture();
const MiB = 1_048_576;

/** Bytes that differ everywhere, so that parts in a wrong order are seen. */
function* varied(size: number) {
  for (let at = 0; at < size; at += 12_000) {
    yield Buffer.alloc(Math.min(12_000, size - at), createHash('sha256').update(`${at}`).digest());
  }
}

async function unfinished(prefix: string): Promise<string[]> {
  const command = new ListMultipartUploadsCommand({ Bucket: s3.server.bucket, Prefix: prefix });
  return ((await s3.client().send(command)).Uploads ?? []).map(({ Key }) => Key ?? '');
}

describe('s3Blobs', () => {
  keepsTheContract(() => Promise.resolve(s3.blobs()));

  for (const size of [5 * MiB, 5 * MiB + 1, 10 * MiB, 17 * MiB + 5]) {
    it(`keeps ${size} bytes`, async () => {
      const blobs = s3.blobs();
      await blobs.write('a/b', chunks(...varied(size)), forever);
      const hash = createHash('sha256');
      for await (const chunk of (await blobs.read('a/b', undefined, forever)) ?? [])
        hash.update(chunk as Buffer);
      const expected = createHash('sha256');
      for (const chunk of varied(size)) expected.update(chunk);
      assert.equal(hash.digest('hex'), expected.digest('hex'));
      assert.equal((await listed(blobs))[0]?.size, size);
      const over = { start: 5 * MiB - 3, end: 5 * MiB + 3 };
      const part = Buffer.concat([...varied(size)]).subarray(over.start, over.end + 1);
      const read = await blobs.read('a/b', over, forever);
      assert.deepEqual(Buffer.concat(await Array.fromAsync(read ?? [])), part);
    });
  }

  it('leaves nothing of an upload in parts that breaks off', async () => {
    const options = s3.options();
    const blobs = s3Blobs(options);
    const broken = new Error('broken');
    await assert.rejects(blobs.write('a/b', failing(broken, ...varied(12 * MiB)), forever), broken);
    assert.deepEqual(await unfinished(options.prefix), []);
    assert.deepEqual(await keys(blobs), []);
  });

  it('leaves nothing of an upload in parts that is aborted', async () => {
    const options = s3.options();
    const blobs = s3Blobs(options);
    const abort = new AbortController();
    const writing = blobs.write('a/b', stalling(abort.signal, ...varied(12 * MiB)), abort.signal);
    while ((await unfinished(options.prefix)).length === 0) await sleep(5);
    abort.abort();
    await assert.rejects(writing, { name: 'AbortError' });
    assert.deepEqual(await unfinished(options.prefix), []);
    assert.deepEqual(await keys(blobs), []);
  });

  it('leaves nothing wherever it is aborted', async () => {
    const options = s3.options();
    const blobs = s3Blobs(options);
    let aborted = 0;
    for (let ms = 0; ms < 60; ms += 4) {
      const signal = AbortSignal.timeout(ms);
      const done = await blobs.write('a/b', chunks(...varied(6 * MiB)), signal).then(
        () => true,
        () => false,
      );
      assert.deepEqual(await unfinished(options.prefix), [], `after ${ms} ms`);
      assert.deepEqual(await keys(blobs), done ? ['a/b'] : [], `after ${ms} ms`);
      await blobs.remove(['a/b'], forever);
      if (!done) aborted += 1;
    }
    assert.ok(aborted > 3, `${aborted} were aborted`);
  });

  it('removes uploads that never came to their end', async () => {
    const options = s3.options();
    const client = s3.client();
    const where = { Bucket: options.bucket, Key: `${options.prefix}a/b` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(where));
    await client.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: Buffer.alloc(100) }));
    const blobs = s3Blobs(options);
    await blobs.removeUnfinished(new Date(Date.now() - 60_000), forever);
    assert.equal((await unfinished(options.prefix)).length, 1);
    await blobs.removeUnfinished(new Date(Date.now() + 60_000), forever);
    assert.deepEqual(await unfinished(options.prefix), []);
  });

  it('lists and removes more than fits on a page', async () => {
    const options = s3.options();
    const blobs = s3Blobs(options);
    const many = Array.from({ length: 1100 }, (_, index) => `a/${index}`);
    const folder = join(s3.server.folder, options.prefix);
    await mkdir(join(folder, 'a'), { recursive: true });
    for (const key of many) await writeFile(join(folder, key), 'x');
    assert.deepEqual(await keys(blobs), many.sort());
    await blobs.remove(many, forever);
    assert.deepEqual(await keys(blobs), []);
  });

  it('keeps to its prefix', async () => {
    const options = s3.options();
    const [one, other] = [s3Blobs(options), s3.blobs({ prefix: `${options.prefix}deeper/` })];
    await other.write('a/b', chunks('x'), forever);
    assert.equal(await content(one, 'a/b'), undefined);
    assert.deepEqual(await keys(one, 'a/'), []);
  });
});

describe('what an S3 server refuses', () => {
  it('is said for a CA that is not trusted', async () => {
    await assert.rejects(s3.blobs({ caFile: '' }).write('a/b', chunks('x'), forever), {
      name: 'StoreError',
      message: /^its certificate is not trusted \([A-Z_]+\)$/,
    });
  });

  for (const [variable, code] of [
    ['AWS_ACCESS_KEY_ID', 'InvalidAccessKeyId'],
    ['AWS_SECRET_ACCESS_KEY', 'SignatureDoesNotMatch'],
  ] as const) {
    it(`is said for a wrong ${variable}`, async (t) => {
      const right = process.env[variable];
      t.after(() => {
        process.env[variable] = right;
      });
      process.env[variable] = 'wrong';
      const refusal = { name: 'StoreError', message: `it refuses the server’s credentials (${code})` };
      const blobs = s3.blobs();
      await assert.rejects(blobs.write('a/b', chunks('x'), forever), refusal);
      await assert.rejects(blobs.read('a/b', undefined, forever), refusal);
      await assert.rejects(keys(blobs), refusal);
      await assert.rejects(blobs.remove(['a/b'], forever), refusal);
    });
  }

  it('is said for a bucket that does not exist', async () => {
    const refusal = { name: 'StoreError', message: 'its bucket does not exist (NoSuchBucket)' };
    const blobs = s3.blobs({ bucket: 'nowhere' });
    await assert.rejects(blobs.write('a/b', chunks(...varied(6 * MiB)), forever), refusal);
    await assert.rejects(blobs.read('a/b', undefined, forever), refusal);
  });
});

describe('an S3 server that is down', () => {
  it('fails at once where nobody listens', async () => {
    const endpoint = `https://127.0.0.1:${await freePort()}`;
    const began = performance.now();
    const blobs = s3.blobs({ endpoint });
    await assert.rejects(blobs.write('a/b', chunks('x'), forever), {
      name: 'StoreError',
      message: 'it does not answer (ECONNREFUSED)',
    });
    assert.ok(performance.now() - began < 5000, 'within five seconds');
  });

  it('costs the artifacts and not the run when it goes amid an upload', async () => {
    const server = await startS3();
    const { bucket, endpoint, region, caFile } = server;
    const blobs = s3Blobs({ bucket, prefix: '', endpoint, region, pathStyle: true, caFile });
    const failures: unknown[] = [];
    const collector = createCollector(createArtifactStore(blobs, { maxAgeSeconds: 60 }), {
      executionId: newExecutionId(),
      caller: '',
      urlOf: (id) => id,
      signal: forever,
      onFailure: (_id, error) => failures.push(error),
    });
    for (const frame of fileFrames('kept', 'x'.repeat(1000))) await collector.add(frame);
    const frames = fileFrames('lost', Buffer.concat([...varied(20 * MiB)]));
    const began = performance.now();
    for (const [index, frame] of frames.entries()) {
      if (index === 1000) await server.stop();
      await collector.add(frame);
    }
    for (const path of ['next', 'last']) {
      for (const frame of fileFrames(path, 'x'.repeat(300_000))) await collector.add(frame);
    }
    const artifacts = await collector.finish();
    assert.deepEqual(
      artifacts.map(({ path, error }) => [path, error?.replace(/E[A-Z]+/, 'CODE') ?? null]),
      [
        ['kept', null],
        ['lost', 'The artifact store failed: it does not answer (CODE).'],
        ['next', 'The artifact store failed: it does not answer (CODE).'],
        ['last', 'It was not tried: the artifact store had failed before.'],
      ],
    );
    assert.equal(failures.length, 2);
    assert.ok(performance.now() - began < 30_000, 'within thirty seconds');
  });
});

describe('an artifact store on S3', () => {
  it('is opened by its settings', async () => {
    const { endpoint, region, bucket, caFile } = s3.server;
    const where = { s3Endpoint: endpoint, s3Region: region, s3PathStyle: true, s3CaFile: caFile };
    const blobs = await openBlobs({ ...where, artifactStore: `s3://${bucket}/by/settings` });
    await blobs.write('a/b', chunks('x'), forever);
    assert.equal(await content(s3.blobs({ prefix: 'by/settings/' }), 'a/b'), 'x');
  });

  it('keeps, gives and lists artifacts, and sweeps them', async () => {
    const options = s3.options();
    const blobs = s3Blobs(options);
    const store = createArtifactStore(blobs, { maxAgeSeconds: 600 });
    const aMinuteAgo = new Date(Date.now() - 60_000);
    const executionId = newExecutionId();
    for (const index of [1, 0]) {
      const head = { id: newArtifactId(executionId), executionId, caller: 'ada', index };
      await store.put({ ...head, path: `${index}.txt`, kind: 'output' }, chunks('0123456789'), forever);
      if (index === 0) continue;
      const folder = join(s3.server.folder, options.prefix);
      for (const key of await keys(blobs)) await utimes(join(folder, key), aMinuteAgo, aMinuteAgo);
    }
    const [first, second] = await store.list(executionId, 'ada', forever);
    assert.ok(first && second);
    assert.deepEqual([first.path, second.path], ['0.txt', '1.txt']);
    const found = await store.get(first.id, 'ada', forever);
    const stream = await found?.read({ start: 3, end: 5 }, forever);
    assert.equal(stream && (await text(stream)), '345');
    assert.equal(await store.get(first.id, 'bob', forever), undefined);

    const removals: Removal[] = [];
    const size = (await listed(blobs)).reduce((sum, each) => sum + each.size, 0);
    await sweep(blobs, { maxAgeSeconds: 600, maxBytes: size - 1 }, (each) => removals.push(each), forever);
    assert.deepEqual(
      removals.map(({ reason, artifacts }) => [reason, artifacts]),
      [['size', 1]],
    );
    assert.deepEqual(await store.list(executionId, 'ada', forever), [first]);
    assert.equal((await keys(blobs)).length, 2);
  });
});
