import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileLine, listLine, readLine, stopLine, writeLines } from '../../../src/sandbox/lines.ts';

const parsed = (line: Buffer): unknown => {
  const text = line.toString('utf8');
  assert.equal(text.indexOf('\n'), text.length - 1);
  return JSON.parse(text);
};

describe('lines about a workspace', () => {
  it('are one line of JSON each', () => {
    assert.deepEqual(parsed(listLine('a b', true)), { type: 'list', path: 'a b', recursive: true });
    assert.deepEqual(parsed(readLine('a\n', 10)), { type: 'read', path: 'a\n', most: 10 });
    assert.deepEqual(parsed(stopLine('id')), { type: 'stop', execution_id: 'id' });
    const bytes = Buffer.from('xab').subarray(1);
    assert.deepEqual(parsed(fileLine({ path: 'p', bytes })), { type: 'file', path: 'p', base64: 'YWI=' });
  });

  it('cut a file into pieces that the agent takes, an empty one too', () => {
    const pieces = (bytes: Buffer) =>
      [...writeLines('p', bytes)].map((line) => {
        assert.ok(line.length < 1_048_576);
        const { base64, more } = parsed(line) as { base64: string; more: boolean };
        return { bytes: Buffer.from(base64, 'base64'), more };
      });
    assert.deepEqual(pieces(Buffer.alloc(0)), [{ bytes: Buffer.alloc(0), more: false }]);
    for (const size of [1, 524_288, 524_289, 1_600_000]) {
      const bytes = Buffer.alloc(size, 'abc');
      const cut = pieces(bytes);
      assert.deepEqual(Buffer.concat(cut.map((piece) => piece.bytes)), bytes);
      assert.deepEqual(
        cut.map(({ more }) => more),
        cut.map((_, index) => index < cut.length - 1),
      );
    }
  });
});
