import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '../../../../src/artifacts/blobs.ts';
import { SandboxLost } from '../../../../src/schedule/backend.ts';
import { createExchange, type Leaving, type Placed } from '../../../../src/serve/dialects/exchange.ts';
import { forever } from '../../support/blobs.ts';
import { memoryWorkspace, type MemoryWorkspace } from '../../support/memory-workspace.ts';

async function exchanged(
  program: (workspace: MemoryWorkspace) => void,
  { placed = [], ...changes }: Partial<Leaving> & { placed?: Placed[] } = {},
) {
  const workspace = memoryWorkspace();
  const kept: Record<string, string> = {};
  const exchange = createExchange(placed, placed, {
    recursive: true,
    maxFiles: 10,
    maxFileBytes: 100,
    maxBytes: 1000,
    keep(path, bytes) {
      kept[path] = bytes.toString();
      return Promise.resolve();
    },
    ...changes,
  });
  await exchange.before(workspace.files, forever);
  program(workspace);
  await exchange.after(workspace.files, forever);
  return { kept, lost: exchange.lost, workspace };
}

const file = (path: string, text: string): Placed => ({ path, bytes: Buffer.from(text) });

describe('createExchange', () => {
  it('puts files there before the program', async () => {
    const { kept, workspace } = await exchanged(() => undefined, { placed: [file('a/b.txt', 'x')] });
    assert.equal(workspace.read('a/b.txt'), 'x');
    assert.deepEqual(kept, {});
  });

  it('keeps what is new or changed, and nothing else', async () => {
    const { kept, lost } = await exchanged(
      (workspace) => {
        workspace.write('new.txt', 'new');
        workspace.write('deep/er/new.txt', 'too');
        workspace.write('longer.txt', 'old and more');
        workspace.write('other.txt', 'dlo');
        workspace.write('again.txt', 'old');
      },
      {
        placed: ['same', 'longer', 'other', 'again'].map((name) => file(`${name}.txt`, 'old')),
      },
    );
    assert.deepEqual(kept, {
      'deep/er/new.txt': 'too',
      'longer.txt': 'old and more',
      'new.txt': 'new',
      'other.txt': 'dlo',
    });
    assert.deepEqual(lost, []);
  });

  it('looks into folders where it is told to, but for hidden ones and caches', async () => {
    const program = (workspace: MemoryWorkspace) => {
      for (const path of ['a', '.b', 'c/d', '.cache/e', 'c/__pycache__/f.pyc', 'c/.g/h']) {
        workspace.write(path, 'x');
      }
    };
    assert.deepEqual(Object.keys((await exchanged(program)).kept), ['.b', 'a', 'c/d']);
    assert.deepEqual(Object.keys((await exchanged(program, { recursive: false })).kept), ['.b', 'a']);
  });

  for (const [name, changes, kept, lost] of [
    ['too many files', { maxFiles: 2 }, ['a', 'b'], ['c (more than 2 files)', 'd (more than 2 files)']],
    ['a file that is too large', { maxFileBytes: 3 }, ['a', 'b', 'd'], ['c (4 bytes; the limit is 3)']],
    [
      'files that are too large together',
      { maxBytes: 5 },
      ['a', 'b', 'd'],
      ['c (no room: the files together are too large)'],
    ],
  ] as const) {
    it(`says what it does not keep: ${name}`, async () => {
      const found = await exchanged((workspace) => {
        workspace.write('a', '1');
        workspace.write('b', '12');
        workspace.write('c', '1234');
        workspace.write('d', '12');
      }, changes);
      assert.deepEqual(Object.keys(found.kept), kept);
      assert.deepEqual(found.lost, lost);
    });
  }

  it('says what is no file', async () => {
    const { lost } = await exchanged((workspace) => {
      workspace.link('l');
    });
    assert.deepEqual(lost, ['l (no regular file)']);
  });

  it('says which file the store has failed for, and tries no more', async () => {
    let tries = 0;
    const { lost } = await exchanged(
      (workspace) => {
        workspace.write('a', '1');
        workspace.write('b', '1');
      },
      {
        keep() {
          tries += 1;
          return Promise.reject(new StoreError('it is full'));
        },
      },
    );
    assert.deepEqual(lost, ['a and what comes after it (the store of files failed: it is full)']);
    assert.equal(tries, 1);
  });

  it('says that files went with their sandbox', async () => {
    const workspace = memoryWorkspace();
    const leaving = { recursive: true, maxFiles: 1, maxFileBytes: 1, maxBytes: 1 };
    const exchange = createExchange([], [], { ...leaving, keep: () => Promise.resolve() });
    const gone = new SandboxLost('evicted', 'It was evicted.');
    const files = { ...workspace.files, list: () => Promise.reject(gone) };
    await assert.rejects(exchange.after(files, forever), gone);
    assert.deepEqual(exchange.lost, ['all that was not read before the sandbox was lost']);
  });

  it('says how many more there are than are listed', async () => {
    const workspace = memoryWorkspace();
    const exchange = createExchange([], [], {
      recursive: true,
      maxFiles: 1,
      maxFileBytes: 1,
      maxBytes: 1,
      keep: () => Promise.resolve(),
    });
    const files = { ...workspace.files, list: () => Promise.resolve({ entries: [], left_out: 7 }) };
    await exchange.after(files, forever);
    assert.deepEqual(exchange.lost, ['7 more files and folders than are listed']);
  });
});
