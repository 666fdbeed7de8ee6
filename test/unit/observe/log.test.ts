import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { why } from '../../../src/observe/log.ts';

describe('why', () => {
  it('is what happened, and what caused it', () => {
    const refused = new Error('connect ECONNREFUSED');
    assert.equal(
      why(new Error('the store failed', { cause: refused })),
      'the store failed: connect ECONNREFUSED',
    );
    assert.equal(why('text'), 'text');
  });

  it('ends where causes go round', () => {
    const error = new Error('a');
    error.cause = error;
    assert.equal(why(error), 'a: a: a: a: a');
  });
});
