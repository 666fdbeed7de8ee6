import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeUtf8 } from '../../../src/result/utf8.ts';

describe('decodeUtf8', () => {
  it('keeps each byte, and refuses what is not UTF-8', () => {
    assert.equal(decodeUtf8(Buffer.from('\ufeffü\0')), '\ufeffü\0');
    assert.equal(decodeUtf8(Buffer.of(0xc3)), undefined);
  });
});
