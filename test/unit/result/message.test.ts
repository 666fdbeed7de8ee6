import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exit } from '../../../src/result/build.ts';
import { explain } from '../../../src/result/message.ts';
import type { Status } from '../../../src/result/execution-result.ts';

const limits = { seconds: 2.5, memory_mb: 64 };

function exited(exit_code: number | null, signal: string | null): Exit {
  return { cause: 'exited', exit_code, signal, stdout_bytes: 0, stderr_bytes: 0 };
}

describe('explain', () => {
  const table: [status: Status, exit: Exit | undefined, loss: string | undefined, message: string][] = [
    ['succeeded', exited(0, null), undefined, 'The code ran to its end.'],
    ['failed', exited(3, null), undefined, 'The code exited with code 3.'],
    [
      'failed',
      exited(null, 'SIGSEGV'),
      undefined,
      'The code was ended by SIGSEGV, an invalid memory access.',
    ],
    [
      'failed',
      exited(null, 'SIGKILL'),
      undefined,
      'The code was ended by SIGKILL, a kill from the code itself or one of its processes.',
    ],
    [
      'failed',
      exited(null, 'SIGXFSZ'),
      undefined,
      'The code was ended by SIGXFSZ: it wrote a file that is larger than the workspace.',
    ],
    ['failed', exited(null, 'SIGUSR1'), undefined, 'The code was ended by SIGUSR1.'],
    [
      'timed_out',
      undefined,
      undefined,
      'The code was stopped after its limit of 2.5 s; what it had written is kept. Raise timeout_seconds, or do less.',
    ],
    [
      'out_of_memory',
      undefined,
      'The kernel ended it.',
      'The code used more memory than its limit of 64 MiB. Raise limits.memory_mb, or use less at one time.',
    ],
    ['cancelled', undefined, 'The run was cancelled.', 'The run was cancelled.'],
    ['evicted', undefined, 'The node evicted it.', 'The node evicted it.'],
    ['node_lost', undefined, 'The node was lost.', 'The node was lost.'],
    ['unknown', undefined, 'Nobody knows.', 'Nobody knows.'],
    ['unknown', undefined, undefined, 'How the code ended is not known.'],
  ];
  for (const [status, exit, loss, message] of table) {
    it(`${status}: ${message}`, () => {
      assert.equal(explain({ status, exit, loss, limits }), message);
    });
  }
});
