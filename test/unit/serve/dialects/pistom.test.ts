import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explained } from '../../../../src/serve/dialects/pistom.ts';

const tooLong = 'The code was stopped after 10 s, the most that it may run; what it had printed is kept.';

describe('an answer of Pistom', () => {
  const cases: [status: Parameters<typeof explained>[1]['status'], output: string, answer: string][] = [
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
      assert.equal(explained(output, { status, message: 'why' }), answer);
    });
  }
});
