import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PistonStage } from '../../../../../src/piston/piston.ts';
import { ServiceError } from '../../../../../src/result/errors.ts';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import {
  answerOf,
  commandOf,
  commandOfStage,
  sandboxError,
  type CommandResult,
} from '../../../../../src/serve/dialects/sandbox-fusion/answer.ts';
import { result } from '../../../support/result.ts';

const fine: CommandResult = {
  status: 'Finished',
  execution_time: 1,
  return_code: 0,
  stdout: '',
  stderr: '',
};
const failed: CommandResult = { ...fine, return_code: 1 };
const slow: CommandResult = { ...fine, status: 'TimeLimitExceeded', return_code: null };
const broken: CommandResult = { ...fine, status: 'Error', return_code: null, stderr: 'why' };

describe('answerOf', () => {
  for (const [name, compiled, ran, status, message] of [
    ['a success', null, fine, 'Success', ''],
    ['a success that was compiled', fine, fine, 'Success', ''],
    ['a failure', null, failed, 'Failed', ''],
    ['a failure to compile', failed, null, 'Failed', ''],
    ['a time-out', null, slow, 'Failed', ''],
    ['a fault of the sandbox', fine, broken, 'SandboxError', 'why'],
  ] as const) {
    it(`tells of ${name}`, () => {
      assert.deepEqual(answerOf(compiled, ran, { a: 'YQ==' }), {
        status,
        message,
        compile_result: compiled,
        run_result: ran,
        executor_pod_name: null,
        files: { a: 'YQ==' },
      });
    });
  }
});

describe('commandOf', () => {
  const common = { status: 'Finished', execution_time: 1.234, stdout: 'one\ntwo\n', stderr: '' };
  for (const [name, changes, expected] of [
    ['a success', {}, { return_code: 0 }],
    ['a failure', { status: 'failed', exit_code: 3 }, { return_code: 3 }],
    ['a signal', { status: 'failed', exit_code: null, signal: 'SIGSEGV' }, { return_code: -11 }],
    ['a real-time signal', { status: 'failed', exit_code: null, signal: 'SIGRTMIN+6' }, { return_code: -40 }],
    [
      'a time-out',
      { status: 'timed_out', exit_code: null },
      { status: 'TimeLimitExceeded', return_code: null },
    ],
    [
      'too little memory',
      { status: 'out_of_memory', exit_code: null },
      { return_code: -9, stderr: 'The code used more memory than it may: use less at one time.\n' },
    ],
    [
      'a lost sandbox',
      { status: 'node_lost', exit_code: null, message: 'Lost.' },
      { status: 'Error', return_code: null, stderr: 'Lost.\n' },
    ],
  ] as [string, Partial<ExecutionResult>, object][]) {
    it(`tells of ${name}`, () => {
      assert.deepEqual(commandOf({ ...result, ...changes }, []), { ...common, ...expected });
    });
  }
});

describe('commandOfStage', () => {
  const stage: PistonStage = {
    signal: null,
    stdout: 'out',
    stderr: '',
    code: 0,
    output: 'out',
    memory: null,
    message: null,
    status: null,
    cpu_time: 1,
    wall_time: 250,
  };
  const common = { status: 'Finished', execution_time: 0.25, return_code: 0, stdout: 'out', stderr: '' };
  for (const [name, changes, expected] of [
    ['a success', {}, {}],
    ['a failure', { code: 2, status: 'RE', message: 'Exited with error status 2' }, { return_code: 2 }],
    ['a signal', { code: null, signal: 'SIGSEGV', status: 'SG' }, { return_code: -11 }],
    [
      'a signal under bash',
      { code: 139, stderr: 'Segmentation fault\n', status: 'RE' },
      { return_code: -11, stderr: 'Segmentation fault\n' },
    ],
    ['a code that looks like one', { code: 139, status: 'RE' }, { return_code: 139 }],
    [
      'a time-out',
      { code: null, signal: 'SIGKILL', status: 'TO', message: 'Time limit exceeded' },
      { status: 'TimeLimitExceeded', return_code: null, stderr: 'Lowered.\n' },
    ],
    [
      'too little memory',
      { code: 137, stderr: 'Killed\n', status: 'RE', memory: 1000 },
      { return_code: -9, stderr: 'Killed\nThe program used more memory than it may.\nLowered.\n' },
    ],
    [
      'too much output',
      { code: null, signal: 'SIGKILL', status: 'OL', message: 'stdout length exceeded' },
      { return_code: -9, stderr: 'stdout length exceeded\n' },
    ],
    [
      'a fault of Piston',
      { code: null, status: 'XX', message: 'Internal' },
      { status: 'Error', return_code: null, stderr: 'Internal\n' },
    ],
    ['no time', { wall_time: null }, { execution_time: null }],
  ] as [string, Partial<PistonStage>, object][]) {
    it(`tells of ${name}`, () => {
      assert.deepEqual(
        commandOfStage({ ...stage, ...changes }, { memoryBytes: 1000, lowered: ['Lowered.'] }),
        { ...common, ...expected },
      );
    });
  }
});

describe('sandboxError', () => {
  it('says why there was no run', () => {
    const { status, message, run_result } = sandboxError(new ServiceError('queue_full', 'Too many.'));
    assert.deepEqual([status, run_result], ['SandboxError', null]);
    assert.match(message, /^Too many\. Try again/);
  });
});
