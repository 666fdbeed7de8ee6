import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitOf } from '../../../src/piston/limits.ts';

describe('limitOf', () => {
  for (const [refusal, limit] of [
    ['run_timeout cannot exceed the configured limit of 3000', { name: 'run_timeout', most: 3000 }],
    ['bash-9 runtime is unknown', undefined],
    ['run_timeout cannot exceed the configured limit of -1', undefined],
  ] as const) {
    it(refusal, () => {
      assert.deepEqual(limitOf(refusal), limit);
    });
  }
});
