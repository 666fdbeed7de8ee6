import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import { toolAnswerOf } from '../../../../../src/serve/dialects/python-interpreter/tools.ts';
import { result } from '../../../support/result.ts';

describe('toolAnswerOf', () => {
  it('is what the tool returned', () => {
    for (const json of ['{"a": 1}', 'null', '[NaN, -Infinity, "NaN"]'])
      assert.deepEqual(toolAnswerOf({ ...result, stdout: `${json}\n` }), { tool_output_json: json });
  });

  for (const [name, changes, stderr] of [
    ['a failure', { status: 'failed', exit_code: 1, stderr: 'Traceback\n' }, 'Traceback\n'],
    ['a time-out', { status: 'timed_out', stderr: 'x' }, 'Execution timed out'],
    [
      'too little memory',
      { status: 'out_of_memory' },
      'The code used more memory than it may: use less at one time.\n',
    ],
    ['that there is no result', { stdout: '' }, 'The tool ended without a result.\n'],
    [
      'that there are two',
      { stdout: '1\n2\n', stderr: 'warned' },
      'warned\nThe tool ended without a result.\n',
    ],
    ['a lost sandbox', { status: 'node_lost', message: 'Lost.' }, 'Lost.\n'],
    [
      'a result that is too long',
      { truncated: true, stdout_bytes: 9 },
      'Of 9 bytes on stdout and 0 on stderr only the beginning is kept.\n',
    ],
  ] as [string, Partial<ExecutionResult>, string][]) {
    it(`says ${name}`, () => {
      assert.throws(() => toolAnswerOf({ ...result, ...changes }), { body: { stderr } });
    });
  }
});
