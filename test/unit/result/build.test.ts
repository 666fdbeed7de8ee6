import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildResult, type Ending } from '../../../src/result/build.ts';
import {
  executionResult,
  type Artifact,
  type ExecutionResult,
} from '../../../src/result/execution-result.ts';

const exit = {
  cause: 'exited' as const,
  exit_code: 0,
  signal: null,
  stdout_bytes: 3,
  stderr_bytes: 0,
};

const ending: Ending = {
  executionId: 'id',
  stdout: Buffer.from('out'),
  stderr: Buffer.alloc(0),
  end: exit,
  limits: { seconds: 30, memory_mb: 512 },
  timings: { environment: null, queued: 0.0000001, scheduled: 0.1234567, started: null, ran: 1, total: 2.5 },
  hints: [],
  missingFrames: 0,
  value: null,
  artifacts: [],
  leftOut: { total: 0, files: [] },
};

const succeeded: ExecutionResult = {
  execution_id: 'id',
  status: 'succeeded',
  exit_code: 0,
  signal: null,
  stdout: 'out',
  stderr: '',
  stdout_base64: null,
  stderr_base64: null,
  stdout_bytes: 3,
  stderr_bytes: 0,
  truncated: false,
  message: 'The code ran to its end.',
  value: null,
  artifacts: [],
  left_out: { total: 0, files: [] },
  hints: [],
  timings: { environment: null, queued: 0, scheduled: 0.123457, started: null, ran: 1, total: 2.5 },
};

const artifact: Artifact = {
  id: null,
  path: 'plots/a.png',
  name: 'a.png',
  kind: 'output',
  mime_type: 'image/png',
  size: 3,
  sha256: null,
  url: null,
  error: 'The artifact store failed.',
};

const table: [what: string, ending: Partial<Ending>, result: Partial<ExecutionResult>][] = [
  ['success', {}, {}],
  [
    'an exit code',
    { end: { ...exit, exit_code: 255 } },
    { status: 'failed', exit_code: 255, message: 'The code exited with code 255.' },
  ],
  [
    'a signal',
    { end: { ...exit, exit_code: null, signal: 'SIGABRT' } },
    {
      status: 'failed',
      exit_code: null,
      signal: 'SIGABRT',
      message: 'The code was ended by SIGABRT, an abort.',
    },
  ],
  [
    'a time-out that the agent saw',
    { end: { ...exit, cause: 'timed_out', exit_code: null } },
    {
      status: 'timed_out',
      exit_code: null,
      message:
        'The code was stopped after its limit of 30 s; what it had written is kept. Raise timeout_seconds, or do less.',
    },
  ],
  [
    'a lack of memory that the agent saw',
    { end: { ...exit, cause: 'out_of_memory', exit_code: null, signal: 'SIGKILL' } },
    {
      status: 'out_of_memory',
      exit_code: null,
      signal: 'SIGKILL',
      message:
        'The code used more memory than its limit of 512 MiB. Raise limits.memory_mb, or use less at one time.',
    },
  ],
  [
    'a lost sandbox',
    { end: { status: 'evicted', message: 'The node evicted it.' } },
    { status: 'evicted', exit_code: null, message: 'The node evicted it.' },
  ],
  [
    'dropped output of one stream',
    { end: { ...exit, stdout_bytes: 1003 } },
    {
      stdout_bytes: 1003,
      truncated: true,
      hints: ['stdout is cut: its last 1000 bytes were dropped. Print less, or print a summary.'],
    },
  ],
  [
    'dropped output of both streams, and what policy did',
    { end: { ...exit, stdout_bytes: 4, stderr_bytes: 2 }, hints: ['A limit was lowered.'] },
    {
      stdout_bytes: 4,
      stderr_bytes: 2,
      truncated: true,
      hints: [
        'stdout is cut: its last 1 bytes were dropped. Print less, or print a summary.',
        'stderr is cut: its last 2 bytes were dropped. Print less, or print a summary.',
        'A limit was lowered.',
      ],
    },
  ],
  [
    'frames that no source had',
    { missingFrames: 2 },
    { truncated: true, hints: ['2 pieces of output were lost between the sandbox and the server.'] },
  ],
  [
    'bytes that are no UTF-8',
    {
      stdout: Buffer.of(0x61, 0xff, 0x62),
      stderr: Buffer.from('Fehler: ü\n'),
      end: { ...exit, stderr_bytes: 11 },
    },
    { stdout: 'a\ufffdb', stdout_base64: 'Yf9i', stderr: 'Fehler: ü\n', stderr_bytes: 11 },
  ],
  [
    'a NUL and a byte order mark',
    { stdout: Buffer.from('\ufeffa\0'), end: { ...exit, stdout_bytes: 5 } },
    { stdout: '\ufeffa\0', stdout_bytes: 5 },
  ],
  [
    'what it left behind',
    {
      value: { text: '1', html: null },
      artifacts: [artifact],
      leftOut: { total: 1, files: [{ path: 'fifo', reason: 'type' }] },
      timings: { ...ending.timings, environment: 1.0000004 },
    },
    {
      value: { text: '1', html: null },
      artifacts: [artifact],
      left_out: { total: 1, files: [{ path: 'fifo', reason: 'type' }] },
      timings: { ...succeeded.timings, environment: 1 },
    },
  ],
  [
    'an end that counts less than there is',
    { end: { status: 'unknown', message: 'Who knows.' }, stderr: Buffer.from('x') },
    { status: 'unknown', exit_code: null, message: 'Who knows.', stderr: 'x', stderr_bytes: 1 },
  ],
];

describe('buildResult', () => {
  for (const [what, changes, result] of table) {
    it(`of ${what}`, () => {
      const built = buildResult({ ...ending, ...changes });
      assert.deepEqual(built, { ...succeeded, ...result });
      assert.deepEqual(executionResult.parse(built), built);
    });
  }
});
