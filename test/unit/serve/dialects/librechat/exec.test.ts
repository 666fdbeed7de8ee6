import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import { answerOf, execBody } from '../../../../../src/serve/dialects/librechat/exec.ts';
import { isId, newId } from '../../../../../src/serve/dialects/librechat/id.ts';
import { languageOf } from '../../../../../src/serve/dialects/librechat/languages.ts';
import { result } from '../../../support/result.ts';

describe('answerOf', () => {
  const common = {
    session_id: 's',
    stdout: 'one\ntwo\n',
    stderr: '',
    files: [],
    signal: null,
    wall_time: 1234,
  };
  for (const [name, changes, expected] of [
    ['a success', {}, { code: 0, message: null, status: null }],
    ['output without a line end', { stdout: 'x' }, { code: 0, message: null, status: null, stdout: 'x\n' }],
    ['no output', { stdout: '' }, { code: 0, message: null, status: null, stdout: '' }],
    [
      'a failure',
      { status: 'failed', exit_code: 1, message: 'M.', stderr: 'oh\n' },
      { code: 1, message: 'M.', status: 'RE', stderr: 'oh\n' },
    ],
    [
      'a signal',
      { status: 'failed', exit_code: null, signal: 'SIGSEGV', message: 'M.' },
      { code: null, message: 'M.', status: 'SG', signal: 'SIGSEGV', stderr: 'M.\n' },
    ],
    [
      'a time-out',
      { status: 'timed_out', exit_code: null, message: 'Slow.' },
      { code: null, message: 'Slow.', status: 'TO', stderr: 'Slow.\n' },
    ],
    [
      'too little memory',
      { status: 'out_of_memory', exit_code: null, message: 'Too much.' },
      {
        code: null,
        message: 'The code used more memory than it may: use less at one time.',
        status: 'SG',
        stderr: 'The code used more memory than it may: use less at one time.\n',
      },
    ],
    [
      'a lost sandbox',
      { status: 'evicted', exit_code: null, message: 'Gone.', timings: { ...result.timings, ran: null } },
      { code: null, message: 'Gone.', status: 'XX', stderr: 'Gone.\n', wall_time: null },
    ],
  ] as [string, Partial<ExecutionResult>, object][]) {
    it(`tells of ${name}`, () => {
      assert.deepEqual(answerOf({ ...result, ...changes }, 's', [], []), { ...common, ...expected });
    });
  }

  it('says what is lost', () => {
    assert.equal(answerOf(result, 's', [], ['a (x)']).stderr, 'Files that are not kept: a (x).\n');
  });
});

describe('execBody', () => {
  for (const [name, files, isFine] of [
    ['session_id', [{ id: 'a', session_id: 'b', name: 'c' }], true],
    [
      'storage_session_id',
      [{ id: 'a', storage_session_id: 'b', resource_id: 'x', kind: 'user', name: 'c' }],
      true,
    ],
    ['no session', [{ id: 'a', name: 'c' }], false],
    ['no files', null, true],
  ] as const) {
    it(`${isFine ? 'takes' : 'refuses'} files by ${name}`, () => {
      assert.equal(execBody.safeParse({ code: '1', lang: 'py', user_id: 'u', files }).success, isFine);
    });
  }
});

describe('languageOf', () => {
  for (const [lang, language] of [
    ['py', 'python'],
    ['cpp', 'c++'],
    ['f90', 'fortran'],
    ['r', 'rscript'],
    ['cobol', undefined],
    ['constructor', undefined],
  ] as const) {
    it(`${lang}: ${language}`, () => {
      assert.equal(languageOf(lang), language);
    });
  }
});

describe('newId', () => {
  it('is of the form that LibreChat takes, and new each time', () => {
    const ids = Array.from({ length: 100 }, newId);
    assert.ok(ids.every((id) => isId(id) && /^[A-Za-z0-9_-]{21}$/.test(id)));
    assert.equal(new Set(ids).size, 100);
  });
});
