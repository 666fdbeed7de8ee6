import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDecoder } from '../../../src/output/decoder.ts';
import type { Frame } from '../../../src/output/frame.ts';
import { err, exit, lines, numbered, out, rawOut, ready, started } from '../support/frames.ts';
import { pieces, seededRandom } from '../support/random.ts';

const frames = numbered(
  ready,
  started,
  out('hello '),
  out('wörld 😀\n'),
  err('oops'),
  rawOut(Buffer.of(0, 0xff, 0xc3)),
  out('x'.repeat(15_000)),
  exit(),
);

function decoded(...chunks: Uint8Array[]): Frame[] {
  const decoder = createDecoder();
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

describe('createDecoder', () => {
  it('gives the same frames however the bytes are cut', () => {
    const random = seededRandom(1);
    const bytes = lines(frames);
    for (const largest of [1, 2, 3, 7, 64, 1000, 20_000]) {
      for (let round = 0; round < 5; round += 1) {
        assert.deepEqual(decoded(...pieces(bytes, random, largest)), frames, `pieces up to ${largest}`);
      }
    }
  });

  it('gives each frame once, in order, from sources that each hold a part', () => {
    const random = seededRandom(2);
    const bytes = lines(frames);
    for (let round = 0; round < 200; round += 1) {
      const decoder = createDecoder();
      const got: Frame[] = [];
      for (let source = 0; source < 4; source += 1) {
        decoder.restart();
        const end = source === 3 ? bytes.length : Math.floor(random() * bytes.length);
        for (const piece of pieces(bytes.subarray(0, end), random, 500)) got.push(...decoder.push(piece));
      }
      assert.deepEqual(got, frames);
      assert.equal(decoder.gap, false);
    }
  });

  it('drops what it has had', () => {
    assert.deepEqual(decoded(lines(frames), lines(frames.slice(2))), frames);
  });

  it('starts at a frame that opens a run, whatever its number', () => {
    assert.deepEqual(decoded(lines(frames.slice(1))), frames.slice(1));
    const late = frames.map((frame) => ({ ...frame, seq: frame.seq + 7 }));
    assert.deepEqual(decoded(lines(late)), late);
  });

  it('starts at the first frame of all, whatever that is', () => {
    const [listed] = numbered({ type: 'listed', entries: 0, left_out: 0 });
    assert.deepEqual(decoded(lines(listed ? [listed] : [])), [listed]);
  });

  it('goes on with the numbers of the runs before, and drops their frames', () => {
    const runs = numbered(started, out('a'), exit(), started, out('b'), exit());
    const decoder = createDecoder();
    assert.deepEqual(decoder.push(lines(runs.slice(0, 3))), runs.slice(0, 3));
    assert.deepEqual(decoder.push(lines(runs.slice(4))), []);
    decoder.restart();
    assert.deepEqual(decoder.push(lines(runs)), runs.slice(3));
  });

  it('holds back what comes after a gap until a source has it', () => {
    const decoder = createDecoder();
    assert.deepEqual(decoder.push(lines(frames.slice(0, 3))), frames.slice(0, 3));
    assert.deepEqual(decoder.push(lines(frames.slice(4))), []);
    assert.equal(decoder.gap, true);
    decoder.restart();
    assert.equal(decoder.gap, false);
    assert.deepEqual(decoder.push(lines(frames)), frames.slice(3));
    assert.equal(decoder.gap, false);
  });

  it('holds back what a late attach sees first', () => {
    const decoder = createDecoder();
    assert.deepEqual(decoder.push(lines(frames.slice(2))), []);
    assert.equal(decoder.gap, true);
    decoder.restart();
    assert.deepEqual(decoder.push(lines(frames)), frames);
  });

  it('goes on without what is missing when told to', () => {
    const decoder = createDecoder();
    decoder.push(lines(frames.slice(0, 2)));
    decoder.push(lines(frames.slice(3)));
    assert.deepEqual(decoder.skipGap(), frames.slice(3));
    assert.equal(decoder.gap, false);
    assert.deepEqual(decoder.skipGap(), []);
  });

  it('skips one gap at a time', () => {
    const decoder = createDecoder();
    decoder.push(lines([...frames.slice(0, 2), ...frames.slice(3, 4), ...frames.slice(5)]));
    assert.deepEqual(decoder.skipGap(), frames.slice(3, 4));
    assert.equal(decoder.gap, true);
    assert.deepEqual(decoder.skipGap(), frames.slice(5));
    assert.equal(decoder.gap, false);
  });

  it('skips a missing beginning', () => {
    const decoder = createDecoder();
    decoder.push(lines(frames.slice(4)));
    assert.deepEqual(decoder.skipGap(), frames.slice(4));
  });

  it('forgets half a line at a restart', () => {
    const decoder = createDecoder();
    decoder.push(lines(frames).subarray(0, 40));
    decoder.restart();
    assert.deepEqual(decoder.push(lines(frames)), frames);
  });

  it('does not take a line for a frame before its end', () => {
    const bytes = lines(frames.slice(0, 1));
    const decoder = createDecoder();
    assert.deepEqual(decoder.push(bytes.subarray(0, -1)), []);
    assert.deepEqual(decoder.push(bytes.subarray(-1)), frames.slice(0, 1));
  });

  it('passes over a line that no agent writes, in bounded memory', () => {
    const decoder = createDecoder();
    const long = Buffer.alloc(50_000, 'x');
    assert.deepEqual(decoder.push(lines(frames.slice(0, 1))), frames.slice(0, 1));
    for (let i = 0; i < 5; i += 1) assert.deepEqual(decoder.push(long), []);
    assert.deepEqual(
      decoder.push(Buffer.concat([Buffer.from('\n'), lines(frames.slice(1))])),
      frames.slice(1),
    );
  });

  it('keeps the last line that was no frame', () => {
    const decoder = createDecoder();
    assert.equal(decoder.stray, undefined);
    decoder.push(Buffer.from('first\n\n'));
    assert.equal(decoder.stray, 'first');
    decoder.push(lines(frames));
    decoder.push(Buffer.from(`${'y'.repeat(600)}\n  \n`));
    assert.equal(decoder.stray, 'y'.repeat(500));
  });
});
