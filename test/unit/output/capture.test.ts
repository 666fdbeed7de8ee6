import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCapture, lastLine } from '../../../src/output/capture.ts';
import type { Frame } from '../../../src/output/frame.ts';
import { err, exit, numbered, out, rawOut, ready, started } from '../support/frames.ts';

function captured(frames: Frame[], limitBytes = 1000) {
  const capture = createCapture(limitBytes);
  frames.forEach((frame) => {
    capture.add(frame);
  });
  return capture.read();
}

describe('createCapture', () => {
  it('is empty at first', () => {
    assert.deepEqual(captured([]), {
      stdout: Buffer.alloc(0),
      stderr: Buffer.alloc(0),
      started: false,
      exit: undefined,
      missingFrames: 0,
      aside: { value: null, leftOut: { total: 0, files: [] } },
    });
  });

  it('keeps both streams apart, byte for byte', () => {
    const frames = numbered(
      ready,
      started,
      out('a'),
      err('b'),
      rawOut(Buffer.of(0xff)),
      out('ä'),
      err(''),
      exit(),
    );
    assert.deepEqual(captured(frames), {
      stdout: Buffer.of(0x61, 0xff, 0xc3, 0xa4),
      stderr: Buffer.from('b'),
      started: true,
      exit: frames.at(-1),
      missingFrames: 0,
      aside: { value: null, leftOut: { total: 0, files: [] } },
    });
  });

  it('holds each stream to its limit', () => {
    const { stdout, stderr } = captured(numbered(out('abc'), err('123456'), out('def'), out('g')), 5);
    assert.equal(stdout.toString(), 'abcde');
    assert.equal(stderr.toString(), '12345');
  });

  it('counts frames that are missing in between', () => {
    const frames = numbered(ready, started, out('a'), out('b'), out('c'), out('d'), exit());
    assert.equal(captured(frames.filter(({ seq }) => ![2, 3, 5].includes(seq))).missingFrames, 3);
    assert.equal(captured(frames.slice(1)).missingFrames, 0);
  });
});

describe('lastLine', () => {
  for (const [text, last] of [
    ['', ''],
    ['one', 'one'],
    ['one\ntwo\n', 'two'],
    ['one\ntwo  \n\n', 'two'],
    [`${'x'.repeat(300)}end`, `${'x'.repeat(197)}end`],
  ] as const) {
    it(`of ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.equal(lastLine({ seq: 0, type: 'stdout', text }), last);
    });
  }
});
