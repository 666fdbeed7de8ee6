import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Artifact } from '../../../src/result/execution-result.ts';
import { inlineForms, resultContent } from '../../../src/serve/content.ts';
import { artifact as kept, result } from '../support/result.ts';

const KiB = 1024;
const MiB = 1_048_576;

function artifact(id: string, mime_type: string, size: number): Artifact & { id: string } {
  return { ...kept, id, mime_type, size };
}

const of = (count: number, mimeType: string, size: number) =>
  Array.from({ length: count }, (_, index) => artifact(`${index}`, mimeType, size));

describe('inlineForms', () => {
  const table: [what: string, artifacts: (Artifact & { id: string })[], inlined: number, room?: number][] = [
    ['images up to 1 MiB', [artifact('a', 'image/png', MiB), artifact('b', 'image/png', MiB + 1)], 1],
    ['eight images', of(9, 'image/webp', 10), 8],
    ['4 MiB of images', of(5, 'image/gif', MiB), 4],
    ['images that the client has room for', of(5, 'image/jpeg', MiB), 2, 2 * MiB],
    ['no image where there is no room', of(5, 'image/jpeg', 10), 0, -1],
    ['no other images', [artifact('a', 'image/tiff', 10), artifact('b', 'image/x-icon', 10)], 0],
    ['texts up to 16 KiB', [artifact('a', 'text/csv', 16 * KiB), artifact('b', 'text/csv', 16 * KiB + 1)], 1],
    ['64 KiB of texts', of(5, 'application/json', 16 * KiB), 4],
    ['sixteen texts', of(17, 'text/markdown', 1), 16],
    [
      'what fits after what does not',
      [...of(4, 'text/plain', 16_000), ...of(1, 'text/plain', 2000), artifact('x', 'text/plain', 1000)],
      5,
    ],
    ['nothing of what is empty', of(1, 'text/plain', 0), 0],
    ['no bytes', of(1, 'application/octet-stream', 10), 0],
  ];
  for (const [what, artifacts, inlined, room = Infinity] of table) {
    it(`takes ${what}`, () => {
      const unique = artifacts.map((each, index) => ({ ...each, id: `${index}` }));
      assert.equal(inlineForms(unique, room).size, inlined);
    });
  }
});

describe('resultContent', () => {
  const artifacts = [
    artifact('a', 'text/plain', 2),
    { ...artifact('b', 'image/png', 2), kind: 'figure' as const },
  ];

  it('links what cannot be read', async () => {
    const content = await resultContent({ ...result, artifacts }, () => Promise.resolve(undefined), Infinity);
    assert.deepEqual(
      content.map(({ type }) => type),
      ['text', 'resource_link', 'resource_link'],
    );
  });

  it('puts no image into what is long already', async () => {
    const read = () => Promise.resolve(Buffer.from('ab'));
    const whole = await resultContent({ ...result, artifacts }, read, 100_000);
    assert.deepEqual(
      whole.map(({ type }) => type),
      ['text', 'resource_link', 'text', 'resource_link', 'image'],
    );
    const long = await resultContent({ ...result, artifacts, stdout: 'x'.repeat(50_000) }, read, 100_000);
    assert.ok(long.every(({ type }) => type !== 'image'));
  });

  it('reads only what it puts in', async () => {
    const asked: string[] = [];
    const read = (id: string) => {
      asked.push(id);
      return Promise.resolve(Buffer.from('ab'));
    };
    const more = [
      ...artifacts,
      artifact('c', 'application/zip', 2),
      { ...artifact('d', 'text/plain', 2), id: null },
    ];
    await resultContent({ ...result, artifacts: more }, read, Infinity);
    assert.deepEqual(asked, ['a', 'b']);
  });
});
