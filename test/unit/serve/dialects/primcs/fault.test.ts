import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorKinds, ServiceError } from '../../../../../src/result/errors.ts';
import { wordsOf } from '../../../../../src/serve/dialects/primcs/fault.ts';

describe('wordsOf', () => {
  it('names no tool that PRIMCS does not have', () => {
    for (const code of Object.keys(errorKinds) as ErrorCode[])
      assert.doesNotMatch(wordsOf(new ServiceError(code, 'Why.')), /list_packages|_session|list_files/, code);
  });

  it('says what to do', () => {
    assert.equal(
      wordsOf(new ServiceError('too_many_sessions', 'There are too many.')),
      'There are too many. Close a client that is not needed, or wait until one has been idle for its time.',
    );
    assert.equal(
      wordsOf(new ServiceError('environments_unavailable', 'There are none.')),
      'pip install failed: There are none. Use the packages that are installed, or have the operator set environments up.',
    );
  });
});
