import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stageOf } from '../../../../../src/serve/dialects/piston/stage.ts';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import { result } from '../../../support/result.ts';

const keys = [
  'signal',
  'stdout',
  'stderr',
  'code',
  'output',
  'memory',
  'message',
  'status',
  'cpu_time',
  'wall_time',
];

describe('a stage of Piston', () => {
  it('has all ten keys in their order', () => {
    assert.deepEqual(Object.entries(stageOf(result, 'one\ntwo\n')), [
      ['signal', null],
      ['stdout', 'one\ntwo\n'],
      ['stderr', ''],
      ['code', 0],
      ['output', 'one\ntwo\n'],
      ['memory', null],
      ['message', null],
      ['status', null],
      ['cpu_time', null],
      ['wall_time', 1234],
    ]);
  });

  type Told = [status: string | null, code: number | null, signal: string | null, message: string | null];
  const ends: [name: string, changes: Partial<ExecutionResult>, told: Told][] = [
    ['an exit code', { status: 'failed', exit_code: 7 }, ['RE', 7, null, 'Exited with error status 7']],
    [
      'a signal',
      { status: 'failed', exit_code: null, signal: 'SIGSEGV' },
      ['RE', 139, null, 'Exited with error status 139'],
    ],
    [
      'no memory',
      { status: 'out_of_memory', exit_code: null },
      ['RE', 137, null, 'Exited with error status 137'],
    ],
    [
      'no memory, of which it hears',
      { status: 'out_of_memory', exit_code: 1 },
      ['RE', 1, null, 'Exited with error status 1'],
    ],
    [
      'a time limit',
      { status: 'timed_out', exit_code: null },
      ['TO', null, 'SIGKILL', 'Time limit exceeded (wall clock)'],
    ],
    ['much output', { stdout_bytes: 9 }, ['OL', null, 'SIGKILL', 'stdout length exceeded']],
    [
      'much output until the time limit',
      { status: 'timed_out', stdout_bytes: 9 },
      ['OL', null, 'SIGKILL', 'stdout length exceeded'],
    ],
    ['much on stderr', { stderr_bytes: 1 }, ['EL', null, 'SIGKILL', 'stderr length exceeded']],
    ['its node', { status: 'node_lost', message: 'why' }, ['XX', null, null, 'why']],
    ['a cancellation', { status: 'cancelled', message: 'why' }, ['XX', null, null, 'why']],
  ];
  for (const [name, changes, told] of ends) {
    it(`tells of an end by ${name}`, () => {
      const stage = stageOf({ ...result, ...changes }, '');
      assert.deepEqual([stage.status, stage.code, stage.signal, stage.message], told);
      assert.deepEqual(Object.keys(stage), keys);
    });
  }

  const said: [signal: string, code: number, saying: string][] = [
    ['SIGSEGV', 139, 'Segmentation fault\n'],
    ['SIGKILL', 137, 'Killed\n'],
    ['SIGTERM', 143, 'Terminated\n'],
    ['SIGABRT', 134, 'Aborted\n'],
    ['SIGINT', 130, ''],
    ['SIGPIPE', 141, ''],
    ['SIGRTMIN+6', 168, ''],
  ];
  for (const [signal, code, saying] of said) {
    it(`tells of ${signal} as bash does`, () => {
      const end = { status: 'failed', exit_code: null, signal, stderr: 'e\n', stderr_bytes: 2 } as const;
      const stage = stageOf({ ...result, ...end }, 'o\ne\n');
      assert.equal(stage.code, code);
      assert.equal(stage.stderr, `e\n${saying}`);
      assert.equal(stage.output, `o\ne\n${saying}`);
    });
  }

  it('counts the bytes of output that is no UTF-8 as they were', () => {
    const bytes = { stdout: '\ufffd', stdout_base64: '/w==', stdout_bytes: 1 };
    assert.equal(stageOf({ ...result, ...bytes }, '\ufffd').status, null);
  });

  it('has no time where none is known', () => {
    const timings = { ...result.timings, ran: null };
    assert.equal(stageOf({ ...result, timings }, '').wall_time, null);
  });
});
