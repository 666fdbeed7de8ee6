import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outcomeOf } from '../../../src/environments/outcome.ts';
import type { ExitFrame } from '../../../src/output/frame.ts';
import { SandboxLost, type LossCause } from '../../../src/schedule/backend.ts';
import { exit } from '../support/frames.ts';

const limits = { buildSeconds: 300, buildMemoryMb: 1024 };
const built = {
  key: 'abcdefghijklmnopqrstuvwxyz',
  requirements: ['polars'],
  bytes: 1000,
  created: '2026-11-21T12:00:00.000Z',
  shadows: [],
  existing: false,
  unrecorded: [],
};

function outcome(changes: Partial<ExitFrame> | undefined, stderr = '', stdout = '', lost?: LossCause) {
  const frame = changes && { seq: 9, ...exit(changes) };
  const output = { exit: frame, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
  return outcomeOf(output, lost && new SandboxLost(lost, 'The pod says why.'), limits);
}

describe('outcomeOf', () => {
  it('reads what was built', () => {
    const packages = [{ name: 'polars', version: '1.0' }];
    assert.deepEqual(outcome({}, 'Resolving\n', JSON.stringify({ ...built, packages })), built);
  });

  it('hands on the resolver’s own words, and nothing of the progress before them', () => {
    const stderr = 'Resolving polars==99\n\nerror: No solution found\n  cause: Because …\n';
    assert.throws(() => outcome({ exit_code: 1 }, stderr), {
      code: 'build_failed',
      message: 'error: No solution found\n  cause: Because …',
    });
  });

  it('says that this is no place to build in', () => {
    assert.throws(() => outcome({ exit_code: 2 }, '\n[Errno 30] Read-only file system\n'), {
      code: 'environments_unavailable',
      message: 'Environments cannot be built here: [Errno 30] Read-only file system',
    });
  });

  it('tells an index that cannot be reached from requirements that cannot be had', () => {
    assert.throws(() => outcome({ exit_code: 3 }, 'Resolving\n\nerror: Failed to fetch: x\n'), {
      code: 'index_unavailable',
      message: 'The build did not reach the package index: error: Failed to fetch: x',
    });
  });

  it('tells a build that takes too long, and what it was at', () => {
    const expected = {
      code: 'build_timeout',
      message: /within 300 s\. The last that it said: Downloading x/,
    };
    assert.throws(
      () => outcome({ cause: 'timed_out', exit_code: null }, 'Resolving\nDownloading x\n'),
      expected,
    );
    assert.throws(() => outcome(undefined, '', '', 'timed_out'), { code: 'build_timeout' });
  });

  it('tells a build that takes too much memory', () => {
    const expected = { code: 'build_failed', message: /more than 1024 MiB of memory/ };
    assert.throws(() => outcome({ cause: 'out_of_memory', exit_code: null, signal: 'SIGKILL' }), expected);
    assert.throws(() => outcome(undefined, '', '', 'out_of_memory'), expected);
  });

  it('tells a sandbox that was lost from a build that failed', () => {
    assert.throws(() => outcome(undefined, '', '', 'node_lost'), {
      code: 'sandbox_failed',
      message: /The pod says why/,
    });
    assert.throws(() => outcome({ exit_code: null, signal: 'SIGSEGV' }), {
      code: 'sandbox_failed',
      message: /SIGSEGV/,
    });
  });

  it('does not take any answer for one', () => {
    assert.throws(() => outcome({}, '', '{"key":1}'), { code: 'internal' });
    assert.throws(() => outcome({}, '', 'nonsense'), { code: 'internal' });
  });
});
