import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { it, type TestContext } from 'node:test';
import type { Blob, Blobs } from '../../../src/artifacts/blobs.ts';

export const forever = new AbortController().signal;

/** An empty folder, until the test ends. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

// eslint-disable-next-line @typescript-eslint/require-await -- a list as a source of chunks
export async function* chunks(...given: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const each of given) yield typeof each === 'string' ? Buffer.from(each) : each;
}

/** Some chunks, and then a failure. */
export async function* failing(error: Error, ...given: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  yield* chunks(...given);
  throw error;
}

/** Some chunks, and then none until the signal aborts. */
export async function* stalling(
  signal: AbortSignal,
  ...given: (string | Uint8Array)[]
): AsyncGenerator<Uint8Array> {
  yield* chunks(...given);
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}

export async function listed(blobs: Blobs, prefix = ''): Promise<Blob[]> {
  const found: Blob[] = [];
  for await (const blob of blobs.list(prefix, forever)) found.push(blob);
  return found.sort((one, other) => (one.key < other.key ? -1 : 1));
}

export async function keys(blobs: Blobs, prefix = ''): Promise<string[]> {
  return (await listed(blobs, prefix)).map(({ key }) => key);
}

export async function content(blobs: Blobs, key: string, range?: { start: number; end: number }) {
  const stream = await blobs.read(key, range, forever);
  return stream && (await text(stream));
}

/** What every kind of blobs does. `open` gives empty ones. */
export function keepsTheContract(open: (t: TestContext) => Promise<Blobs>): void {
  it('reads what was written, whole or in part', async (t) => {
    const blobs = await open(t);
    await blobs.write('a/b', chunks('one', 'two', 'three'), forever);
    assert.equal(await content(blobs, 'a/b'), 'onetwothree');
    assert.equal(await content(blobs, 'a/b', { start: 2, end: 3 }), 'et');
    assert.equal(await content(blobs, 'a/b', { start: 6, end: 10 }), 'three');
  });

  it('keeps what is empty', async (t) => {
    const blobs = await open(t);
    await blobs.write('a/b', chunks(), forever);
    assert.equal(await content(blobs, 'a/b'), '');
    assert.deepEqual(
      (await listed(blobs)).map(({ key, size }) => [key, size]),
      [['a/b', 0]],
    );
  });

  it('has nothing where nothing was written', async (t) => {
    const blobs = await open(t);
    assert.equal(await blobs.read('a/b', undefined, forever), undefined);
    assert.deepEqual(await listed(blobs), []);
    assert.deepEqual(await listed(blobs, 'a/'), []);
  });

  it('takes the place of what had the key', async (t) => {
    const blobs = await open(t);
    await blobs.write('a/b', chunks('before'), forever);
    await blobs.write('a/b', chunks('after'), forever);
    assert.equal(await content(blobs, 'a/b'), 'after');
  });

  it('lists by folder, with size and time', async (t) => {
    const blobs = await open(t);
    const began = Date.now();
    for (const key of ['a/b.json', 'b/a', 'a/c', 'ab/d']) await blobs.write(key, chunks(key), forever);
    assert.deepEqual(
      (await listed(blobs)).map(({ key, size }) => [key, size]),
      [
        ['a/b.json', 8],
        ['a/c', 3],
        ['ab/d', 4],
        ['b/a', 3],
      ],
    );
    assert.deepEqual(await keys(blobs, 'a/'), ['a/b.json', 'a/c']);
    const unordered: string[] = [];
    for await (const { key, modified } of blobs.list('', forever)) {
      unordered.push(key.split('/')[0] ?? '');
      assert.ok(Math.abs(modified.getTime() - began) < 10_000, modified.toISOString());
    }
    const changes = unordered.filter((folder, index) => folder !== unordered[index - 1]);
    assert.equal(changes.length, 3, 'keys of one folder follow each other');
  });

  it('removes, and does not mind what is not there', async (t) => {
    const blobs = await open(t);
    for (const key of ['a/b', 'a/c', 'b/a']) await blobs.write(key, chunks(key), forever);
    await blobs.remove(['a/b', 'b/a', 'c/a'], forever);
    assert.deepEqual(await keys(blobs), ['a/c']);
    await blobs.remove([], forever);
    await blobs.write('b/a', chunks('again'), forever);
    assert.equal(await content(blobs, 'b/a'), 'again');
  });

  it('keeps nothing of what breaks off', async (t) => {
    const blobs = await open(t);
    const broken = new Error('broken');
    await assert.rejects(blobs.write('a/b', failing(broken, 'some', 'more'), forever), broken);
    await assert.rejects(blobs.write('a/b', failing(broken), forever), broken);
    assert.deepEqual(await listed(blobs), []);
    await blobs.removeUnfinished(new Date(Date.now() + 60_000), forever);
  });

  it('keeps nothing of what is aborted, and reads nothing more', async (t) => {
    const blobs = await open(t);
    const abort = new AbortController();
    const writing = blobs.write('a/b', stalling(abort.signal, 'some'), abort.signal);
    setTimeout(() => {
      abort.abort();
    }, 20);
    await assert.rejects(writing, { name: 'AbortError' });
    assert.deepEqual(await listed(blobs), []);
    await assert.rejects(blobs.write('a/b', chunks('some'), abort.signal), { name: 'AbortError' });
    assert.deepEqual(await listed(blobs), []);
  });

  it('ends a stream when its signal aborts', async (t) => {
    const blobs = await open(t);
    await blobs.write('a/b', chunks(Buffer.alloc(1_000_000)), forever);
    const abort = new AbortController();
    const stream = await blobs.read('a/b', undefined, abort.signal);
    assert.ok(stream);
    abort.abort();
    await assert.rejects(text(stream));
    assert.ok(stream.destroyed);
  });

  for (const key of [
    '',
    'a',
    'a/',
    '/a',
    '../a',
    'a/..',
    'a/../b',
    'a/b/c',
    'a/b.txt',
    'a/b\0',
    'a\\b',
    'A/b',
  ]) {
    it(`refuses the key ${JSON.stringify(key)}`, async (t) => {
      const blobs = await open(t);
      await assert.rejects(blobs.write(key, chunks('x'), forever), TypeError);
      await assert.rejects(blobs.read(key, undefined, forever), TypeError);
      await assert.rejects(blobs.remove([key], forever), TypeError);
    });
  }

  for (const prefix of ['a', '/', '../', 'a/../', 'a/b']) {
    it(`refuses the prefix ${JSON.stringify(prefix)}`, async (t) => {
      await assert.rejects(listed(await open(t), prefix), TypeError);
    });
  }
}
