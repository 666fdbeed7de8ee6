import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { executionIdPattern, newExecutionId } from '../../../src/request/execution-id.ts';

describe('newExecutionId', () => {
  it('gives 26 letters and digits, another each time', () => {
    const ids = Array.from({ length: 1000 }, newExecutionId);
    for (const id of ids) assert.match(id, executionIdPattern);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('uses each character about as often', () => {
    const counts = new Map<string, number>();
    for (const character of Array.from({ length: 2000 }, newExecutionId).join('')) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    assert.equal(counts.size, 32);
    for (const count of counts.values()) assert.ok(count > 1300 && count < 1950, String(count));
  });
});

describe('executionIdPattern', () => {
  for (const text of [
    '',
    'a'.repeat(25),
    'a'.repeat(27),
    `${'a'.repeat(25)}1`,
    'A'.repeat(26),
    `${'a'.repeat(26)}\n`,
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.doesNotMatch(text, executionIdPattern);
    });
  }
});
