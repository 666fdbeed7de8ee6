import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isImage, isText, pictureType } from '../../../src/serve/media.ts';

describe('isText', () => {
  const texts =
    'text/csv text/html application/json application/geo+json application/xml application/x-ndjson';
  for (const type of texts.split(' ')) {
    it(`takes ${type}`, () => {
      assert.ok(isText(type));
    });
  }

  const others =
    'image/png image/svg+xml application/octet-stream application/pdf application/zip x-text/plain';
  for (const type of others.split(' ')) {
    it(`does not take ${type}`, () => {
      assert.ok(!isText(type));
    });
  }
});

describe('isImage', () => {
  it('takes what clients show', () => {
    assert.deepEqual(
      ['image/png', 'image/svg+xml', 'image/tiff', 'text/plain'].map((type) => isImage(type)),
      [true, true, false, false],
    );
  });
});

describe('pictureType', () => {
  const table: [start: string, type: string | undefined][] = [
    ['\x89PNG\r\n\x1a\n\0\0\0\r', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF89a', 'image/gif'],
    ['RIFF\x10\0\0\0WEBPVP8 ', 'image/webp'],
    ['RIFF\x10\0\0\0WAVEfmt ', undefined],
    ['PNG', undefined],
    ['<svg>', undefined],
    ['', undefined],
  ];
  for (const [start, type] of table) {
    it(`${JSON.stringify(start)} is ${type ?? 'none'}`, () => {
      assert.equal(pictureType(Buffer.from(start, 'latin1')), type);
    });
  }
});
