import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import type { ArtifactStore } from '../../../src/artifacts/store.ts';
import { saveArtifacts } from '../../../src/command/save-artifacts.ts';
import { artifact } from '../support/result.ts';

/** Each artifact's bytes are its id. */
const store: Pick<ArtifactStore, 'get'> = {
  get: (id) => {
    const read = () => Promise.resolve(id === 'gone' ? undefined : Readable.from([Buffer.from(id)]));
    return Promise.resolve({ artifact: {}, expires: new Date(), read } as unknown as Awaited<
      ReturnType<ArtifactStore['get']>
    >);
  },
};

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'vivarium-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return join(path, 'new');
}

const never = new AbortController().signal;

describe('saveArtifacts', () => {
  it('keeps their paths, and both of one path', async (t) => {
    const to = await folder(t);
    const artifacts = [
      { ...artifact, id: 'one', path: 'figure-1.png' },
      { ...artifact, id: 'two', path: 'figure-1.png' },
      { ...artifact, id: 'three', path: 'a/b/c' },
      { ...artifact, id: 'four', path: '..x' },
      { ...artifact, id: null, path: 'lost' },
    ];
    const saved = await saveArtifacts(artifacts, to, store, never);
    assert.deepEqual(
      [...saved.values()],
      [join(to, 'figure-1.png'), join(to, 'output/figure-1.png'), join(to, 'a/b/c'), join(to, '..x')],
    );
    const contents = await Promise.all([...saved.values()].map((path) => readFile(String(path), 'utf8')));
    assert.deepEqual(contents, ['one', 'two', 'three', 'four']);
  });

  for (const [what, changes, why] of [
    ['would be beside the folder', { path: '../x' }, /not below the folder/],
    ['is gone', { id: 'gone' }, /a\.png is no longer/],
  ] as const) {
    it(`tells of what ${what}, and goes on`, async (t) => {
      const to = await folder(t);
      const artifacts = [
        { ...artifact, ...changes },
        { ...artifact, path: 'other' },
      ];
      const [first, second] = [...(await saveArtifacts(artifacts, to, store, never)).values()];
      assert.match(String(first), why);
      assert.ok(first instanceof Error);
      assert.equal(second, join(to, 'other'));
    });
  }

  it('tells of a folder that cannot be written', async (t) => {
    const file = await folder(t);
    await writeFile(file, '');
    const [outcome] = [...(await saveArtifacts([artifact], file, store, never)).values()];
    assert.ok(outcome instanceof Error);
    assert.match(outcome.message, /EEXIST|ENOTDIR/);
  });
});
