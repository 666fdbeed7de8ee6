import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readEvents } from '../../../src/sessions/event-stream.ts';

const text =
  'event: starting\ndata: {"type":"starting"}\n\n: still here\n\nevent: stdout\ndata: {"text":"ä: b"}\n\nevent: cut\ndata: {';
const expected = [
  { event: 'starting', data: { type: 'starting' } },
  { event: 'stdout', data: { text: 'ä: b' } },
];

async function* emit(...chunks: Buffer[]): AsyncGenerator<Buffer, void> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

describe('readEvents', () => {
  it('gives whole events, however their bytes are cut, and no comments', async () => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const events = await Array.fromAsync(readEvents(emit(bytes.subarray(0, cut), bytes.subarray(cut))));
      assert.deepEqual(events, expected, `cut at ${cut}`);
    }
    const single = Array.from(bytes, (byte) => Buffer.of(byte));
    assert.deepEqual(await Array.fromAsync(readEvents(emit(...single))), expected);
  });
});
