import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import {
  installationText,
  packagesText,
  resultText,
} from '../../../../../src/serve/dialects/python-executor/texts.ts';
import { result } from '../../../support/result.ts';

describe('a run', () => {
  const lost = 'The node went away.';
  const table: [name: string, changes: Partial<ExecutionResult>, text: string][] = [
    ['prints', { stdout: 'hi\n' }, 'Output:\nhi\n\n'],
    ['prints without an end of line', { stdout: 'hi' }, 'Output:\nhi\n'],
    ['prints nothing', { stdout: '' }, 'Code executed successfully (no output)'],
    ['warns', { stdout: '', stderr: 'careful\n' }, 'Errors:\ncareful\n\n'],
    [
      'fails',
      { status: 'failed', exit_code: 3, stdout: 'a\n', stderr: 'b\n' },
      'Output:\na\n\nErrors:\nb\n\nExit code: 3\n',
    ],
    ['fails in silence', { status: 'failed', exit_code: 1, stdout: '' }, 'Exit code: 1\n'],
    [
      'gets a real-time signal',
      { status: 'failed', exit_code: null, signal: 'SIGRTMIN+6', stdout: '', message: 'Killed.' },
      'Errors:\nKilled.\n\nExit code: -40\n',
    ],
    [
      'is killed',
      { status: 'failed', exit_code: null, signal: 'SIGSEGV', stdout: '', stderr: 'a', message: 'Killed.' },
      'Errors:\na\nKilled.\n\nExit code: -11\n',
    ],
    [
      'uses too much memory',
      { status: 'out_of_memory', exit_code: null, stdout: '' },
      'Errors:\nThe code used more memory than it may: use less at one time.\n\nExit code: -9\n',
    ],
    ['takes too long', { status: 'timed_out', stdout: 'a' }, 'Execution timed out after 30 seconds'],
    ['is lost', { status: 'node_lost', message: lost }, `Execution error: ${lost}`],
  ];
  for (const [name, changes, text] of table) {
    it(name, () => {
      assert.equal(resultText({ ...result, ...changes }, 30), text);
    });
  }
});

it('installations are one line each', () => {
  assert.equal(
    installationText([
      { package: 'a', outcome: 'installed' },
      { package: 'b', outcome: 'failed', why: 'no such package', isOfPackages: true },
      { package: 'c', outcome: 'timed_out', isOfPackages: false },
    ]),
    '✓ Successfully installed a\n✗ Failed to install b: no such package\n✗ Installation of c timed out',
  );
});

it('packages are one line each', () => {
  const packages = [
    { name: 'numpy', version: '2.1.0' },
    { name: 'pandas', version: '2.3.0' },
  ];
  assert.equal(
    packagesText({ python: '3.13.5', packages }),
    'Installed packages:\nnumpy==2.1.0\npandas==2.3.0',
  );
});
