import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { frameBytes, parseFrame } from '../../../src/output/frame.ts';
import { err, exit, lines, numbered, out, rawOut, ready, started } from '../support/frames.ts';

describe('parseFrame', () => {
  it('reads every kind', () => {
    const frames = numbered(ready, started, out('a'), err('b'), rawOut(Buffer.of(0xff)), exit());
    const read = lines(frames).toString('utf8').trimEnd().split('\n').map(parseFrame);
    assert.deepEqual(read, frames);
  });

  it('keeps fields that it does not know', () => {
    assert.deepEqual(parseFrame('{"seq":0,"type":"ready","python":"3","failed":{},"more":1}'), {
      seq: 0,
      type: 'ready',
      python: '3',
      failed: {},
      more: 1,
    });
  });

  for (const line of [
    '',
    ' ',
    'Traceback (most recent call last):',
    '{"seq":0,"type":"stdout","text":"a"',
    'null',
    '7',
    '"seq"',
    '[]',
    '{}',
    '{"seq":0}',
    '{"type":"ready"}',
    '{"seq":"0","type":"ready"}',
    '{"seq":0.5,"type":"ready"}',
    '{"seq":0,"type":"other"}',
    '{"seq":0,"type":"ready","python":"3"}',
    '{"seq":0,"type":"started"}',
    '{"seq":0,"type":"stdout"}',
    '{"seq":0,"type":"exit","cause":"exited"}',
  ]) {
    it(`takes ${JSON.stringify(line)} for no frame`, () => {
      assert.equal(parseFrame(line), undefined);
    });
  }
});

describe('frameBytes', () => {
  it('gives the bytes of text and of base64', () => {
    assert.deepEqual(frameBytes({ seq: 0, type: 'stdout', text: 'ä\0\n' }), Buffer.of(0xc3, 0xa4, 0, 10));
    assert.deepEqual(frameBytes({ seq: 0, type: 'stderr', base64: '/wA=' }), Buffer.of(0xff, 0));
    assert.deepEqual(frameBytes({ seq: 0, type: 'stdout', text: '' }), Buffer.alloc(0));
  });
});
