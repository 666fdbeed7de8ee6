import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { StoreError } from '../../../src/artifacts/blobs.ts';
import { createCollector, type CollectorOptions } from '../../../src/artifacts/collect.ts';
import type { Artifact, ArtifactHead, ArtifactStore } from '../../../src/artifacts/store.ts';
import type { Frame } from '../../../src/output/frame.ts';
import { newExecutionId } from '../../../src/request/execution-id.ts';
import { fileFrames } from '../support/file-frames.ts';
import { exit, numbered, out } from '../support/frames.ts';
import { forever } from '../support/blobs.ts';

const executionId = newExecutionId();
const sha256 = (of: string | Uint8Array) => createHash('sha256').update(of).digest('hex');

type Put = ArtifactStore['put'];

/** Keeps in memory. `before` may fail or wait. */
function memory(
  before: (head: ArtifactHead, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
) {
  const kept = new Map<string, Buffer>();
  const heads: ArtifactHead[] = [];
  const put: Put = async (head, bytes, signal) => {
    heads.push(head);
    await before(head, signal);
    const data = Buffer.concat(await Array.fromAsync(bytes));
    kept.set(head.path, data);
    const { id, executionId: execution_id, caller, index, path, kind } = head;
    const known = { name: path, mime_type: 'text/plain', created: '' };
    const artifact = { id, execution_id, caller, index, path, kind, ...known };
    return { ...artifact, size: data.length, sha256: sha256(data) } satisfies Artifact;
  };
  return { put, kept, heads };
}

async function collected(
  store: Pick<ArtifactStore, 'put'>,
  frames: Frame[],
  options: Partial<CollectorOptions> = {},
) {
  const urlOf = (id: string) => `/${id}`;
  const collector = createCollector(store, {
    executionId,
    caller: 'ada',
    urlOf,
    signal: forever,
    ...options,
  });
  for (const frame of frames) await collector.add(frame);
  return await collector.finish();
}

const errors = (artifacts: { path: string; error: string | null }[]) =>
  artifacts.map(({ path, error }) => [path, error]);

describe('createCollector', () => {
  it('keeps each file, in order', async () => {
    const store = memory();
    const artifacts = await collected(store, [
      ...numbered(out('hello'), exit({ files: 3 })),
      ...fileFrames('figure-1.png', 'picture', { kind: 'figure' }),
      ...fileFrames('a/data.bin', 'x'.repeat(30_000)),
      ...fileFrames('empty', ''),
    ]);
    assert.deepEqual(
      [...store.kept].map(([path, data]) => [path, data.toString()]),
      [
        ['figure-1.png', 'picture'],
        ['a/data.bin', 'x'.repeat(30_000)],
        ['empty', ''],
      ],
    );
    assert.deepEqual(
      store.heads.map(({ id, ...head }) => [id.startsWith(`${executionId}-`), head]),
      [
        [true, { executionId, caller: 'ada', index: 0, path: 'figure-1.png', kind: 'figure' }],
        [true, { executionId, caller: 'ada', index: 1, path: 'a/data.bin', kind: 'output' }],
        [true, { executionId, caller: 'ada', index: 2, path: 'empty', kind: 'output' }],
      ],
    );
    const id = store.heads[0]?.id ?? '';
    assert.equal(artifacts.length, 3);
    assert.deepEqual(artifacts[0], {
      id,
      path: 'figure-1.png',
      name: 'figure-1.png',
      kind: 'figure',
      mime_type: 'text/plain',
      size: 7,
      sha256: sha256('picture'),
      url: `/${id}`,
      error: null,
    });
  });

  it('leaves values to others', async () => {
    const store = memory();
    const frames = [
      ...fileFrames('value.txt', '42', { kind: 'text' }),
      ...fileFrames('value.html', '<b>', { kind: 'html' }),
      ...fileFrames('a', 'x'),
    ];
    assert.deepEqual(errors(await collected(store, frames)), [['a', null]]);
  });

  it('does not keep what changed while it was read', async () => {
    const store = memory();
    const frames = [...fileFrames('a', 'short', { announced: 100 }), ...fileFrames('b', 'x')];
    assert.deepEqual(errors(await collected(store, frames)), [
      ['a', 'It changed while it was read.'],
      ['b', null],
    ]);
    assert.deepEqual([...store.kept.keys()], ['b']);
  });

  it('does not keep what has lost a part', async () => {
    const store = memory();
    const frames = fileFrames('a', 'x'.repeat(100), { piece: 10 });
    const artifacts = await collected(store, [
      ...frames.slice(0, 4),
      ...frames.slice(5),
      ...fileFrames('b', ''),
    ]);
    assert.deepEqual(errors(artifacts), [
      ['a', 'Part of it was lost on its way.'],
      ['b', null],
    ]);
    assert.deepEqual(artifacts[0], {
      id: null,
      path: 'a',
      name: 'a',
      kind: 'output',
      mime_type: 'application/octet-stream',
      size: 100,
      sha256: null,
      url: null,
      error: 'Part of it was lost on its way.',
    });
  });

  it('does not keep what has lost its end', async () => {
    const frames = [...fileFrames('a', 'x').slice(0, -1), ...fileFrames('b', 'x')];
    assert.deepEqual(errors(await collected(memory(), frames)), [
      ['a', 'Its end was lost on its way.'],
      ['b', null],
    ]);
  });

  it('does not keep what the sandbox did not come to the end of', async () => {
    const store = memory();
    const frames = [...fileFrames('a', 'x'), ...fileFrames('b', 'x').slice(0, -1)];
    assert.deepEqual(errors(await collected(store, frames)), [
      ['a', null],
      ['b', 'The sandbox was lost before all of it had come.'],
    ]);
    assert.deepEqual([...store.kept.keys()], ['a']);
  });

  it('does not mind data that belongs to nothing', async () => {
    const frames = fileFrames('a', 'x').slice(1);
    assert.deepEqual(await collected(memory(), frames), []);
  });

  it('goes on when the store fails, and tells of it', async () => {
    const failures: [string, unknown][] = [];
    const full = new StoreError('there is no space left in its folder');
    const store = memory(({ path }) => (path === 'a' ? Promise.reject(full) : Promise.resolve()));
    const frames = [...fileFrames('a', 'x'.repeat(1_000_000)), ...fileFrames('b', 'x')];
    const artifacts = await collected(store, frames, { onFailure: (...given) => failures.push(given) });
    assert.deepEqual(errors(artifacts), [
      ['a', 'The artifact store failed: there is no space left in its folder.'],
      ['b', null],
    ]);
    assert.deepEqual(failures, [[store.heads[0]?.id, full]]);
  });

  it('does not try for ever with a store that is down', async () => {
    const store = memory(() => Promise.reject(new Error('secret')));
    const big = 'x'.repeat(300_000);
    const frames = ['a', 'b', 'c', 'd'].flatMap((path) => fileFrames(path, big));
    assert.deepEqual(errors(await collected(store, frames)), [
      ['a', 'The artifact store failed.'],
      ['b', 'The artifact store failed.'],
      ['c', 'It was not tried: the artifact store had failed before.'],
      ['d', 'It was not tried: the artifact store had failed before.'],
    ]);
    assert.equal(store.heads.length, 2);
  });

  it('holds the frames back while the store is slow', async () => {
    const slow = Promise.withResolvers<undefined>();
    const store = memory(() => slow.promise);
    const collector = createCollector(store, { executionId, caller: '', urlOf: () => null, signal: forever });
    let taken = 0;
    const adding = (async () => {
      for (const frame of fileFrames('a', 'x'.repeat(12_000 * 100))) {
        await collector.add(frame);
        taken += 1;
      }
    })();
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    assert.ok(taken > 2 && taken < 20, `${taken} frames`);
    slow.resolve(undefined);
    await adding;
    assert.deepEqual(errors(await collector.finish()), [['a', null]]);
    assert.equal(store.kept.get('a')?.length, 1_200_000);
  });

  it('has few small files on their way at one time', async () => {
    let now = 0;
    let most = 0;
    const store = memory(async () => {
      most = Math.max(most, (now += 1));
      await sleep(5);
      now -= 1;
    });
    const frames = Array.from({ length: 20 }, (_, index) => fileFrames(`${index}`, 'x')).flat();
    const artifacts = await collected(store, frames);
    assert.deepEqual(
      artifacts.map(({ path, error }) => [path, error]),
      Array.from({ length: 20 }, (_, index) => [`${index}`, null]),
    );
    assert.equal(most, 4);
  });

  it('ends with its signal', async () => {
    const abort = new AbortController();
    const store = memory(async (_head, signal) => {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });
    });
    setTimeout(() => {
      abort.abort();
    }, 20);
    const failures: unknown[] = [];
    const frames = fileFrames('a', 'x'.repeat(1_000_000));
    const artifacts = await collected(store, frames, {
      signal: abort.signal,
      onFailure: (id) => failures.push(id),
    });
    assert.deepEqual(errors(artifacts), [['a', 'The run was cancelled before it was kept.']]);
    assert.deepEqual(failures, []);
  });
});
