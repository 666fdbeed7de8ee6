import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../../src/result/execution-result.ts';
import { formatSize, renderPackages, renderResult } from '../../../src/serve/render.ts';
import { artifact, result } from '../support/result.ts';

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
    'a value',
    { value: { text: '42\n', html: '<b>42</b>' } },
    ['succeeded, exit code 0 after 1.23 s', '', 'stdout:', 'one', 'two', '', 'value:', '42'],
  ],
  [
    'a value that was printed last',
    { value: { text: 'two', html: null } },
    ['succeeded, exit code 0 after 1.23 s', '', 'stdout:', 'one', 'two'],
  ],
  [
    'a value that only ends as what was printed',
    { value: { text: 'wo', html: null } },
    ['succeeded, exit code 0 after 1.23 s', '', 'stdout:', 'one', 'two', '', 'value:', 'wo'],
  ],
  [
    'artifacts, kept and lost',
    {
      artifacts: [
        artifact,
        { ...artifact, id: null, path: 'b', size: 12_600, error: 'The artifact store failed.' },
      ],
      hints: ['A limit was lowered.'],
    },
    [
      'succeeded, exit code 0 after 1.23 s',
      '',
      'stdout:',
      'one',
      'two',
      '',
      'artifacts:',
      'plots/a.png (1023 bytes, image/png)',
      'b (12.3 KiB, image/png): not kept. The artifact store failed.',
      '',
      'Note: A limit was lowered.',
    ],
  ],
  [
    'what was left out',
    {
      left_out: {
        total: 101,
        files: Array.from({ length: 100 }, (_, index) => ({ path: `f${index}`, reason: 'count' as const })),
      },
    },
    [
      'succeeded, exit code 0 after 1.23 s',
      '',
      'stdout:',
      'one',
      'two',
      '',
      'left out of the artifacts:',
      ...Array.from({ length: 10 }, (_, index) => `f${index} (count)`),
      'and 91 more',
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

describe('renderPackages', () => {
  it('has one a line', () => {
    const packages = [{ name: 'numpy', version: '2.3.2' }];
    assert.equal(renderPackages({ python: '3.13.5', packages }), 'Python 3.13.5\nnumpy 2.3.2');
  });
});

describe('formatSize', () => {
  it('takes the unit that fits', () => {
    assert.deepEqual([0, 1024, 1_048_575, 1_048_576].map(formatSize), [
      '0 bytes',
      '1.0 KiB',
      '1024.0 KiB',
      '1.0 MiB',
    ]);
  });
});
