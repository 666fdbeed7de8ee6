import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listRequest, writeRequest } from '../../../src/request/workspace.ts';

const session_id = 's'.repeat(30);

describe('a file for a session', () => {
  const schema = writeRequest({ inputBytes: 10 });
  const table: [what: string, given: object, fault: RegExp | undefined][] = [
    ['text', { path: 'a', content: 'ä'.repeat(5) }, undefined],
    ['nothing, as text', { path: 'a/b.txt', content: '' }, undefined],
    ['base64', { path: 'a', content_base64: 'AAECAwQFBgcICQ==' }, undefined],
    ['neither', { path: 'a' }, /^give one of `content` and `content_base64`$/],
    ['both', { path: 'a', content: '', content_base64: '' }, /^give one of/],
    ['too much', { path: 'a', content: 'ä'.repeat(6) }, /^the file is 12 bytes long; the limit is 10$/],
    ['what is no base64', { path: 'a', content_base64: 'AA' }, /no multiple of 4/],
    ['half of a surrogate pair', { path: 'a', content: '\ud800' }, /no UTF-8 form/],
    ['an absolute path', { path: '/a', content: '' }, /relative to the workspace/],
    ['a way out', { path: 'a/../../b', content: '' }, /relative to the workspace/],
    ['no path', { path: '', content: '' }, /Too small/],
    ['another field', { path: 'a', content: '', mode: 7 }, /Unrecognized key: "mode"/],
  ];
  for (const [what, given, fault] of table) {
    it(fault ? `is not ${what}` : `is ${what}`, () => {
      const { success, error } = schema.safeParse({ session_id, ...given });
      assert.equal(success, fault === undefined);
      if (fault) assert.match(error?.issues[0]?.message ?? '', fault);
    });
  }
});

describe('a listing', () => {
  it('is of the workspace, unless a folder is named', () => {
    assert.deepEqual(listRequest.parse({ session_id }), { session_id, path: '', recursive: false });
    const asked = { session_id, path: 'data/raw', recursive: true };
    assert.deepEqual(listRequest.parse(asked), asked);
    assert.ok(!listRequest.safeParse({ session_id, path: '..' }).success);
    assert.ok(!listRequest.safeParse({ session_id: 'short' }).success);
  });
});
