import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { folderBlobs } from '../../../src/artifacts/folder.ts';
import { keepSwept, planRemoval, sweep, type Removal } from '../../../src/artifacts/sweep.ts';
import { chunks, forever, keys, temporaryFolder } from '../support/blobs.ts';
import { until } from '../support/until.ts';

describe('planRemoval', () => {
  const tally = new Map([
    [30, 100],
    [10, 50],
    [20, 70],
  ]);
  for (const [maxBytes, before, bytesOfIt] of [
    [1000, 10, 0],
    [220, 10, 0],
    [219, 10, 1],
    [171, 10, 49],
    [170, 20, 0],
    [100, 30, 0],
    [60, 30, 40],
    [1, 30, 99],
    [0, Infinity, 0],
  ] as const) {
    it(`keeps ${maxBytes} bytes`, () => {
      assert.deepEqual(planRemoval(tally, maxBytes), { before, bytesOfIt });
    });
  }

  it('has nothing to remove from what is empty', () => {
    assert.equal(planRemoval(new Map(), 0).bytesOfIt, 0);
  });
});

const run = (letter: string) => letter.repeat(26);
const name = (letter: string) => letter.repeat(16);
const minute = 60;

/** A folder of artifacts, each with its age in seconds. */
async function folder(t: TestContext, artifacts: Record<string, number>, size = 96) {
  const root = await temporaryFolder(t);
  const blobs = folderBlobs(root);
  const put = async (key: string, ageSeconds: number, bytes: number) => {
    await blobs.write(key, chunks(Buffer.alloc(bytes)), forever);
    const time = new Date(Date.now() - ageSeconds * 1000);
    await utimes(join(root, key), time, time);
  };
  for (const [key, age] of Object.entries(artifacts)) {
    await put(key, age, size);
    await put(`${key}.json`, age, 4);
  }
  return { root, blobs, put };
}

async function swept(blobs: ReturnType<typeof folderBlobs>, maxAgeSeconds: number, maxBytes = 1e9) {
  const removals: Removal[] = [];
  await sweep(blobs, { maxAgeSeconds, maxBytes }, (removal) => removals.push(removal), forever);
  return { removals, keys: (await keys(blobs)).filter((key) => !key.endsWith('.json')) };
}

describe('sweep', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((each) => `${run(each)}/${name(each)}`) as [
    string,
    string,
    string,
    string,
  ];

  it('removes what is too old', async (t) => {
    const { blobs } = await folder(t, {
      [a]: 5 * minute,
      [b]: 11 * minute,
      [c]: 9 * minute,
      [d]: 30 * minute,
    });
    assert.deepEqual(await swept(blobs, 10 * minute), {
      removals: [{ reason: 'age', artifacts: 2, bytes: 200 }],
      keys: [a, c],
    });
    assert.deepEqual(await swept(blobs, 10 * minute), { removals: [], keys: [a, c] });
  });

  it('removes the oldest until the rest fits', async (t) => {
    const ages = { [a]: 5 * minute, [b]: 11 * minute, [c]: 9 * minute, [d]: 30 * minute };
    const { blobs } = await folder(t, ages);
    assert.deepEqual(await swept(blobs, 60 * minute, 400), { removals: [], keys: [a, b, c, d] });
    assert.deepEqual(await swept(blobs, 60 * minute, 399), {
      removals: [{ reason: 'size', artifacts: 1, bytes: 100 }],
      keys: [a, b, c],
    });
    assert.deepEqual(await swept(blobs, 60 * minute, 100), {
      removals: [{ reason: 'size', artifacts: 2, bytes: 200 }],
      keys: [a],
    });
  });

  it('removes no more than it must of what came at one time', async (t) => {
    const many = Array.from({ length: 10 }, (_, index) => `${run('a')}/${name('abcdefghij'.charAt(index))}`);
    const { blobs } = await folder(t, Object.fromEntries(many.map((key) => [key, 5 * minute])));
    const { removals, keys: left } = await swept(blobs, 60 * minute, 650);
    assert.deepEqual(removals, [{ reason: 'size', artifacts: 4, bytes: 400 }]);
    assert.equal(left.length, 6);
  });

  it('tells age and size apart', async (t) => {
    const { blobs } = await folder(t, { [a]: 5 * minute, [b]: 11 * minute, [c]: 100 * minute });
    const { removals, keys: left } = await swept(blobs, 60 * minute, 100);
    assert.deepEqual(removals.map(({ reason, artifacts }) => [reason, artifacts]).sort(), [
      ['age', 1],
      ['size', 1],
    ]);
    assert.deepEqual(left, [a]);
  });

  it('leaves what is on its way, and removes what never came to its end', async (t) => {
    const { blobs, put } = await folder(t, {});
    await put(a, 59 * minute, 100);
    await put(b, 61 * minute, 100);
    await put(`${c}.json`, 61 * minute, 4);
    assert.deepEqual(await swept(blobs, 600 * minute, 10), {
      removals: [{ reason: 'unfinished', artifacts: 2, bytes: 104 }],
      keys: [a],
    });
  });

  it('leaves what is no artifact', async (t) => {
    const { blobs, put } = await folder(t, {});
    for (const key of ['backups/monday', `backups/${name('a')}`, `${run('a')}/notes`]) {
      await put(key, 1000 * minute, 1000);
    }
    assert.equal((await swept(blobs, minute, 0)).keys.length, 3);
  });

  it('removes many', async (t) => {
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    const keysOf = Array.from(letters).flatMap((one) =>
      Array.from(letters).map((other) => `${run(one)}/${name(other)}`),
    );
    const { blobs } = await folder(t, Object.fromEntries(keysOf.map((key) => [key, 5 * minute])));
    const { removals, keys: left } = await swept(blobs, minute);
    assert.deepEqual(left, []);
    assert.deepEqual(
      removals.map(({ artifacts }) => artifacts),
      [500, 176],
    );
  });
});

describe('keepSwept', () => {
  it('goes on after a failure, and ends with its signal', async (t) => {
    const { blobs } = await folder(t, {});
    const broken = new Error('broken');
    let times = 0;
    const failures: unknown[] = [];
    const abort = new AbortController();
    const sometimes = {
      ...blobs,
      removeUnfinished: () => ((times += 1) === 1 ? Promise.reject(broken) : Promise.resolve()),
    };
    const events = { removed: () => undefined, failed: (error: unknown) => failures.push(error) };
    const loop = keepSwept(sometimes, { maxAgeSeconds: 1, maxBytes: 1 }, 0.001, events, abort.signal);
    await until(() => times >= 3);
    abort.abort();
    await loop;
    assert.deepEqual(failures, [broken]);
  });
});
