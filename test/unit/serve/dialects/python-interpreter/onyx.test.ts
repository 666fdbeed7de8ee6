import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import { isOnyx, onyxAnswerOf } from '../../../../../src/serve/dialects/python-interpreter/onyx.ts';
import { result } from '../../../support/result.ts';

describe('isOnyx', () => {
  for (const [body, expected] of [
    [{ code: '1' }, true],
    [{ source_code: '1' }, false],
    [{ code: '1', source_code: '1' }, false],
    [{}, false],
    [null, false],
    ['code', false],
  ] as const) {
    it(`${JSON.stringify(body)}: ${expected}`, () => {
      assert.equal(isOnyx(body), expected);
    });
  }
});

describe('onyxAnswerOf', () => {
  const common = { stdout: 'one\ntwo\n', stderr: '', timed_out: false, duration_ms: 1234 };
  for (const [name, changes, expected] of [
    ['a success', {}, { exit_code: 0 }],
    ['a failure', { status: 'failed', exit_code: 2 }, { exit_code: 2 }],
    [
      'a signal',
      { status: 'failed', exit_code: null, signal: 'SIGSEGV', message: 'Killed.' },
      { exit_code: 139, stderr: 'Killed.\n' },
    ],
    ['a time-out', { status: 'timed_out', exit_code: null }, { exit_code: null, timed_out: true }],
    [
      'too little memory',
      { status: 'out_of_memory', exit_code: null },
      { exit_code: 137, stderr: 'The code used more memory than it may: use less at one time.\n' },
    ],
    ['a value', { value: { text: '2', html: null } }, { exit_code: 0, stdout: 'one\ntwo\n2\n' }],
  ] as [string, Partial<ExecutionResult>, object][]) {
    it(`tells of ${name}`, () => {
      assert.deepEqual(onyxAnswerOf({ ...result, ...changes }, true, [], []), {
        ...common,
        ...expected,
        files: [],
      });
    });
  }

  it('leaves the value out where it is not wanted', () => {
    const valued = { ...result, value: { text: '2', html: null } };
    assert.equal(onyxAnswerOf(valued, false, [], []).stdout, 'one\ntwo\n');
  });
});
