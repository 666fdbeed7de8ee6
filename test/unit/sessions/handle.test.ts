import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionId } from '../../../src/request/session.ts';
import { handleOf, keyOf, newHandle } from '../../../src/sessions/handle.ts';

describe('handles', () => {
  it('are what a session_id may be, and no two are alike', () => {
    const handles = Array.from({ length: 100 }, newHandle);
    assert.equal(new Set(handles).size, 100);
    for (const handle of [...handles, handleOf('a', 'b')]) {
      assert.match(handle, /^ses_[a-z2-7]{26}$/);
      assert.ok(sessionId.safeParse(handle).success);
    }
  });

  it('follow from the name that a caller’s client goes by', () => {
    assert.equal(handleOf('name', 'alice'), handleOf('name', 'alice'));
    const others = [handleOf('name', 'bob'), handleOf('other', 'alice'), handleOf('alice', 'name')];
    assert.equal(new Set([handleOf('name', 'alice'), ...others]).size, 4);
  });
});

describe('keyOf', () => {
  it('is a label of the cluster that only handle and caller together lead to', () => {
    const handle = newHandle();
    assert.match(keyOf(handle, ''), /^[0-9a-f]{40}$/);
    assert.equal(keyOf(handle, 'alice'), keyOf(handle, 'alice'));
    assert.equal(new Set([keyOf(handle, ''), keyOf(handle, 'alice'), keyOf(newHandle(), '')]).size, 3);
  });
});
