import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../../src/result/execution-result.ts';
import { renderResult } from '../../../src/serve/render.ts';

const result: ExecutionResult = {
  execution_id: 'id',
  status: 'succeeded',
  exit_code: 0,
  signal: null,
  stdout: 'one\ntwo\n',
  stderr: '',
  stdout_base64: null,
  stderr_base64: null,
  stdout_bytes: 8,
  stderr_bytes: 0,
  truncated: false,
  message: 'The code ran to its end.',
  value: null,
  artifacts: [],
  left_out: { total: 0, files: [] },
  hints: [],
  timings: { environment: null, queued: 0, scheduled: 0.1, started: 0.2, ran: 1.234, total: 2 },
};

const table: [what: string, changes: Partial<ExecutionResult>, lines: string[]][] = [
  ['success', {}, ['succeeded, exit code 0 after 1.23 s', '', 'stdout:', 'one', 'two']],
  ['no output', { stdout: '', stdout_bytes: 0 }, ['succeeded, exit code 0 after 1.23 s', '', '(no output)']],
  [
    'failure',
    {
      status: 'failed',
      exit_code: 1,
      stderr: 'Traceback\n\n',
      stderr_bytes: 11,
      message: 'The code exited with code 1.',
    },
    [
      'failed, exit code 1 after 1.23 s',
      'The code exited with code 1.',
      '',
      'stdout:',
      'one',
      'two',
      '',
      'stderr:',
      'Traceback',
      '',
    ],
  ],
  [
    'a signal',
    { status: 'failed', exit_code: null, signal: 'SIGSEGV', message: 'The code was ended by SIGSEGV.' },
    ['failed, SIGSEGV after 1.23 s', 'The code was ended by SIGSEGV.', '', 'stdout:', 'one', 'two'],
  ],
  [
    'a lost sandbox',
    {
      status: 'node_lost',
      exit_code: null,
      stdout: '',
      stdout_bytes: 0,
      message: 'The node was lost.',
      timings: { ...result.timings, ran: null },
    },
    ['node_lost', 'The node was lost.', '', '(no output)'],
  ],
  [
    'bytes that are no text, and hints',
    { stdout: '\ufffd', stdout_base64: '/w==', hints: ['stdout is cut.', 'A limit was lowered.'] },
    [
      'succeeded, exit code 0 after 1.23 s',
      '',
      'stdout (not UTF-8; the exact bytes are in the structured result):',
      '\ufffd',
      '',
      'Note: stdout is cut.',
      '',
      'Note: A limit was lowered.',
    ],
  ],
  [
    'output of which nothing was kept',
    { stdout: '', stdout_bytes: 8 },
    ['succeeded, exit code 0 after 1.23 s'],
  ],
];

describe('renderResult', () => {
  for (const [what, changes, lines] of table) {
    it(what, () => {
      assert.deepEqual(renderResult({ ...result, ...changes }).split('\n'), lines);
    });
  }
});
