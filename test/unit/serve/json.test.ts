import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { holdsMore } from '../../../src/serve/json.ts';

describe('holdsMore', () => {
  for (const [json, most] of [
    ['', 0],
    ['1', 0],
    ['"a,b,[{"', 0],
    ['"\\",,,"', 0],
    ['"\\\\",1', 1],
    ['[]', 1],
    ['{"a":1}', 1],
    ['[1,2,3]', 3],
    ['[{"a":",","b":"\\\\\\",{"},[]]', 5],
  ] as const) {
    it(`counts ${most} in ${json}`, () => {
      const bytes = Buffer.from(json);
      assert.equal(holdsMore(bytes, most), false);
      assert.equal(most > 0 && !holdsMore(bytes, most - 1), false);
    });
  }
});
