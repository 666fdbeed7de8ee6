import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger } from '../../../src/observe/log.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import { logFailure } from '../../../src/serve/errors.ts';

function logged(error: unknown): [level: string, about: { path: string; why: string }][] {
  const lines: ReturnType<typeof logged> = [];
  const level = (name: string) => (about: { path: string; why: string }) => lines.push([name, about]);
  logFailure({ warn: level('warn'), error: level('error') } as unknown as Logger, '/path', error);
  return lines;
}

describe('logFailure', () => {
  it('says what caused a failure of the service', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new ServiceError('artifacts_unavailable', 'The store failed.', { cause });
    assert.deepEqual(logged(error), [['warn', { path: '/path', why: 'The store failed.: ECONNREFUSED' }]]);
  });

  it('shows the stack of what nobody expects', () => {
    const error = new Error('unexpected');
    assert.deepEqual(logged(error), [['error', { path: '/path', why: error.stack }]]);
  });

  it('leaves to callers what is theirs', () => {
    assert.deepEqual(logged(new ServiceError('invalid_request', 'No.')), []);
  });
});
