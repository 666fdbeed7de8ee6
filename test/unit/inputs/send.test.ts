import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { target } from '../../../src/inputs/send.ts';

describe('where bytes are sent', () => {
  const table: [text: string, host: string, path: string][] = [
    ['https://bucket.example.org/a?b=c', 'bucket.example.org', '/a?b=c'],
    ['https://bucket.example.org', 'bucket.example.org', '/'],
    ['https://bucket.example.org?b=c', 'bucket.example.org', '/?b=c'],
    ['HTTP://bucket.example.org:8080/a#part?', 'bucket.example.org:8080', '/a'],
    ["https://h/a/../%2E%2e/./b//c?x=%7e~%2f/'|^", 'h', "/a/../%2E%2e/./b//c?x=%7e~%2f/'|^"],
    ['https://h/a?to=https://other/@x', 'h', '/a?to=https://other/@x'],
    ['https://one@two/a', 'two', '/a'],
  ];
  for (const [text, host, path] of table) {
    it(text, () => {
      const { url, path: written } = target(text);
      assert.deepEqual([url.host, written], [host, path]);
    });
  }

  const refused = [
    '',
    'a',
    '/a',
    'ftp://h/a',
    'file:///etc/passwd',
    'https:/h/a',
    'https:///h/a',
    'https://h\\@other/a',
    'https://h/a b',
    'https://h/a\r\nhost: other',
    'https://h/ü',
    ' https://h/a',
    'ht\ntps://h/a',
    'https://h:99999/a',
  ];
  for (const text of refused) {
    it(`not ${JSON.stringify(text)}`, () => {
      assert.throws(() => target(text), { code: 'file_refused' });
    });
  }
});
