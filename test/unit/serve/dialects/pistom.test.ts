import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../../../src/result/execution-result.ts';
import { explained } from '../../../../src/serve/dialects/pistom.ts';
import { result } from '../../support/result.ts';

const tooLong = 'The code was stopped after 10 s, the most that it may run; what it had printed is kept.';

describe('an answer of Pistom', () => {
  const cases: [status: ExecutionResult['status'], output: string, answer: string][] = [
    ['succeeded', '2\n', '2\n'],
    ['succeeded', '', ''],
    ['failed', 'Traceback\n', 'Traceback\n'],
    ['timed_out', '', `Error: ${tooLong}`],
    ['timed_out', 'half', `half\nError: ${tooLong}`],
    ['out_of_memory', 'a\n', 'a\nError: The code used more memory than it may: use less at one time.'],
    ['node_lost', '', 'Error: why'],
  ];
  for (const [status, output, answer] of cases) {
    it(`${status} after ${JSON.stringify(output)} is ${JSON.stringify(answer)}`, () => {
      assert.equal(explained(output, { ...result, status, message: 'why' }, 10), answer);
    });
  }

  it('says that a signal has ended the code', () => {
    const killed = { ...result, status: 'failed', signal: 'SIGSEGV', message: 'why' } as const;
    assert.equal(explained('a', killed, 10), 'a\nError: why');
  });

  it('says that output is cut', () => {
    const cut = { ...result, truncated: true, stdout_bytes: 9, stderr_bytes: 0 };
    const note = 'Error: Of 9 bytes on stdout and 0 on stderr only the beginning is kept.';
    assert.equal(explained('a', cut, 10), `a\n${note}`);
  });
});
