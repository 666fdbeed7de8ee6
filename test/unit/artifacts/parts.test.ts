import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inParts } from '../../../src/artifacts/parts.ts';
import { chunks, failing } from '../support/blobs.ts';

async function partsOf(...given: string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { body, last } of inParts(chunks(...given), 4)) {
    found.push(`${Buffer.from(body).toString()}${last ? '!' : ''}`);
  }
  return found;
}

describe('inParts', () => {
  for (const [given, parts] of [
    [[], ['!']],
    [[''], ['!']],
    [['ab'], ['ab!']],
    [['ab', 'cd'], ['abcd!']],
    [
      ['ab', 'cd', 'e'],
      ['abcd', 'e!'],
    ],
    [['abcdefghijk'], ['abcd', 'efgh', 'ijk!']],
    [
      ['abc', 'defghijkl'],
      ['abcd', 'efgh', 'ijkl!'],
    ],
  ] as const) {
    it(JSON.stringify(given), async () => {
      assert.deepEqual(await partsOf(...given), parts);
    });
  }

  it('fails with its source', async () => {
    const parts = inParts(failing(new Error('broken'), 'abcdef'), 4);
    assert.equal((await parts.next()).done, false);
    await assert.rejects(parts.next(), { message: 'broken' });
  });
});
