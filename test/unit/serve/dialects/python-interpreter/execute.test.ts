import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { executionRequest } from '../../../../../src/request/execution.ts';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import {
  answerOf,
  checkRequest,
  executeBody,
} from '../../../../../src/serve/dialects/python-interpreter/execute.ts';
import { checkBody, HttpError } from '../../../../../src/serve/dialects/fastapi.ts';
import { config } from '../../../support/settings.ts';
import { result } from '../../../support/result.ts';

describe('executeBody', () => {
  it('needs no more than code', () => {
    assert.deepEqual(checkBody(executeBody, { source_code: '1' }), { source_code: '1', files: {}, env: {} });
  });

  const id = 'a'.repeat(64);
  for (const [path, hash, loc] of [
    ['/workspace/a', id, undefined],
    ['/a', 'A_-9', undefined],
    ['a', id, ['body', 'files', 'a', '[key]']],
    ['//a', id, ['body', 'files', '//a', '[key]']],
    ['/', id, ['body', 'files', '/', '[key]']],
    ['/a', '', ['body', 'files', '/a']],
    ['/a', 'ä', ['body', 'files', '/a']],
    ['/a', 'a'.repeat(256), ['body', 'files', '/a']],
  ] as const) {
    it(`${loc ? 'refuses' : 'takes'} ${path}: ${hash.slice(0, 8)}`, () => {
      const { error } = executeBody.safeParse({ source_code: '', files: { [path]: hash } });
      assert.equal(error === undefined, loc === undefined);
      if (!loc) return;
      const check = () => checkBody(executeBody, { source_code: '', files: { [path]: hash } });
      assert.throws(check, (thrown: HttpError) => {
        assert.equal(thrown.status, 422);
        assert.deepEqual((thrown.detail as { loc: unknown }[])[0]?.loc, loc);
        return true;
      });
    });
  }
});

describe('answerOf', () => {
  const files = { '/workspace/a': 'id' };
  for (const [name, changes, expected] of [
    ['a success', {}, { stdout: 'one\ntwo\n', stderr: '', exit_code: 0 }],
    [
      'a failure',
      { status: 'failed', exit_code: 3, stderr: 'oh\n' },
      { stdout: 'one\ntwo\n', stderr: 'oh\n', exit_code: 3 },
    ],
    [
      'a signal',
      { status: 'failed', exit_code: null, signal: 'SIGSEGV', message: 'Killed.' },
      { stdout: 'one\ntwo\n', stderr: 'Killed.\n', exit_code: -1 },
    ],
    [
      'a time-out',
      { status: 'timed_out', exit_code: null, stderr: 'x' },
      { stdout: '', stderr: 'Execution timed out', exit_code: -1 },
    ],
    [
      'too little memory',
      { status: 'out_of_memory', exit_code: null },
      {
        stdout: 'one\ntwo\n',
        stderr: 'The code used more memory than it may: use less at one time.\n',
        exit_code: -1,
      },
    ],
  ] as [string, Partial<ExecutionResult>, object][]) {
    it(`tells of ${name}`, () => {
      assert.deepEqual(answerOf({ ...result, ...changes }, files, []), { ...expected, files });
    });
  }

  for (const status of ['cancelled', 'evicted', 'node_lost', 'unknown'] as const) {
    it(`has no answer of a run that is ${status}`, () => {
      assert.throws(() => answerOf({ ...result, status, message: 'Why.' }, {}, []), {
        status: 500,
        detail: 'Why.',
      });
    });
  }

  it('says what is lost', () => {
    assert.equal(answerOf(result, {}, ['a (x)']).stderr, 'Files that are not kept: a (x).\n');
  });
});

describe('checkRequest', () => {
  it('says in their words what this server does not take', () => {
    const settings = config({ maxCodeBytes: 3 });
    assert.throws(
      () => checkRequest(executionRequest(settings), { code: 'long', env: { 'A-B': '' } }),
      (thrown: HttpError) => {
        const details = thrown.detail as { type: string; loc: unknown[]; msg: string }[];
        assert.deepEqual(
          details.map(({ type, loc }) => [type, loc]),
          [
            ['value_error', ['body', 'source_code']],
            ['value_error', ['body', 'env', 'A-B']],
          ],
        );
        assert.equal(details[0]?.msg, 'Value error, the code is 4 bytes long; the limit is 3');
        return thrown.status === 422;
      },
    );
  });
});
