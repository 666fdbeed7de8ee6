import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { executionRequest } from '../../../../../src/request/execution.ts';
import type { ExecutionResult } from '../../../../../src/result/execution-result.ts';
import {
  artifactsIn,
  artifactsOf,
  checkLength,
  dedent,
  leftOutOf,
  runArguments,
  secondsOf,
  toAnswer,
  toEntries,
  toRequest,
} from '../../../../../src/serve/dialects/primcs/translate.ts';
import { artifact, result } from '../../../support/result.ts';
import { config } from '../../../support/settings.ts';

const schema = executionRequest(config({ fetchHosts: ['example.org'], packagesDenied: ['denied'] }));
const alone = { seconds: 100, session: undefined };
const handle = 'ses_abcdefghijklmnopqrstuvwxyz';

function asked(given: object) {
  return runArguments.parse({ code: '1', ...given });
}

describe('a call of run_code', () => {
  it('becomes a request', () => {
    const files = [{ url: 'https://example.org/a.csv', mountPath: './data//a.csv' }];
    const {
      code,
      requirements,
      files: given,
      timeout_seconds,
      session_id,
      fresh_interpreter,
    } = toRequest(
      asked({ code: '  print(1)\n  print(2)\n', requirements: ['polars>=1'], files }),
      schema,
      alone,
    );
    assert.deepEqual(
      { code, requirements, given, timeout_seconds, session_id, fresh_interpreter },
      {
        code: 'print(1)\nprint(2)\n',
        requirements: ['polars>=1'],
        given: [{ path: 'data/a.csv', url: 'https://example.org/a.csv' }],
        timeout_seconds: 100,
        session_id: undefined,
        fresh_interpreter: false,
      },
    );
  });

  it('has an interpreter of its own in a session', () => {
    const request = toRequest(asked({ requirements: null, files: null }), schema, {
      seconds: 5,
      session: handle,
    });
    assert.equal(request.session_id, handle);
    assert.equal(request.fresh_interpreter, true);
    assert.deepEqual([request.requirements, request.files], [[], []]);
  });

  const url = 'https://example.org/a.csv';
  const refused: [given: object, text: RegExp][] = [
    [{ files: [{ url }] }, /^Each file entry must include a non-empty 'mountPath' key\.$/],
    [{ files: [{ url, mountPath: '' }] }, /^Each file entry must include a non-empty 'mountPath' key\.$/],
    [{ files: [{ mountPath: 'a' }] }, /^Each file entry must include a non-empty 'url' key\.$/],
    [{ files: [{ url, mountPath: '../main.py' }] }, /a path cannot have "\." or "\.\." in it/],
    [{ files: [{ url, mountPath: 'a/../../b' }] }, /a path cannot have "\." or "\.\." in it/],
    [{ files: [{ url, mountPath: '/etc/passwd' }] }, /the path is absolute/],
    [{ files: [{ url: 'file:///etc/passwd', mountPath: 'a' }] }, /a URL of "file:" is not fetched/],
    [{ requirements: ['denied'] }, /^pip install failed: "denied": the package "denied" is not allowed/],
    [{ requirements: ['--index-url=x'] }, /^pip install failed: .*options are not taken/],
  ];
  for (const [given, text] of refused) {
    it(`is refused: ${JSON.stringify(given)}`, () => {
      assert.throws(() => toRequest(asked(given), schema, alone), { name: 'Fault', message: text });
    });
  }

  it('has 20,000 characters at most, whatever their bytes', () => {
    checkLength('😀'.repeat(20_000));
    assert.throws(
      () => {
        checkLength('x'.repeat(20_001));
      },
      { message: 'Code block too large (20k char limit)' },
    );
  });

  it('runs for as long as PRIMCS lets code run, or the server', () => {
    assert.equal(secondsOf({ maxTimeoutSeconds: 300 }), 100);
    assert.equal(secondsOf({ maxTimeoutSeconds: 20 }), 20);
  });
});

describe('dedent', () => {
  const table: [text: string, without: string][] = [
    ['', ''],
    ['a\n  b', 'a\n  b'],
    ['  a\n    b\n  c', 'a\n  b\nc'],
    ['\n  a\n\n  b\n', '\na\n\nb\n'],
    ['  a\n   \n  b', 'a\n\nb'],
    ['\ta\n  b', '\ta\n  b'],
    ['  \ta\n  b', '\ta\nb'],
    ['a\n   \n', 'a\n   \n'],
    ['   ', '   '],
  ];
  for (const [text, without] of table) {
    it(JSON.stringify(text), () => {
      assert.equal(dedent(text), without);
    });
  }
});

describe('a result', () => {
  const about: Parameters<typeof toAnswer>[2] = { seconds: 100, session: undefined, lost: [] };
  const answer = (changes: Partial<ExecutionResult>, more: Partial<typeof about> = {}) =>
    toAnswer({ ...result, ...changes }, [], { ...about, ...more });

  it('has the fields of PRIMCS, in its order', () => {
    assert.equal(JSON.stringify(answer({})), '{"stdout":"one\\ntwo\\n","stderr":"","artifacts":[]}');
    assert.deepEqual(Object.keys(answer({ stdout: '' }, { session: 'name' })), [
      'stdout',
      'stderr',
      'artifacts',
      'session_id',
      'feedback',
    ]);
    assert.equal(answer({}, { session: 'name' }).session_id, 'name');
  });

  it('says what to do only where stdout is empty', () => {
    assert.equal(answer({ stderr: 'Traceback' }).feedback, undefined);
    assert.match(answer({ stdout: '', status: 'failed', exit_code: 1 }).feedback ?? '', /print\(/);
  });

  it('is none where the time was over, or the run was lost', () => {
    assert.throws(() => answer({ status: 'timed_out' }), { message: 'Execution timed out after 100s' });
    for (const status of ['cancelled', 'evicted', 'node_lost', 'unknown'] as const)
      assert.throws(() => answer({ status, message: 'It was lost.' }), { message: 'It was lost.' });
  });

  it('tells on stderr what else nobody would know', () => {
    const message = 'Why it ended.';
    const killed = { status: 'out_of_memory', signal: 'SIGKILL', message } as const;
    assert.equal(
      answer({ ...killed, stderr: 'a' }).stderr,
      'a\nThe code used more memory than it may: use less at one time.\n',
    );
    assert.equal(answer({ status: 'failed', signal: 'SIGSEGV', message }).stderr, 'Why it ended.\n');
    assert.equal(answer({ status: 'failed', exit_code: 3, message }).stderr, '');
    assert.match(
      answer({ truncated: true, stdout_bytes: 9, stderr_bytes: 0 }).stderr,
      /^Of 9 bytes on stdout/,
    );
    assert.match(answer({}, { lost: ['3 more files in output/'] }).stderr, /3 more files in output\//);
  });
});

describe('artifacts', () => {
  it('are what a run leaves below output/', () => {
    const figure = { ...artifact, kind: 'figure' as const, path: 'figure-1.png' };
    assert.deepEqual(artifactsOf({ ...result, artifacts: [artifact, figure] }), [
      { name: 'a.png', relative_path: 'plots/a.png', size: 1023, mime: 'image/png' },
    ]);
  });

  it('are not those that were left out, of which some are named', () => {
    const files = Array.from({ length: 100 }, (_, index) => ({
      path: `f${index}`,
      reason: 'count' as const,
    }));
    const [lost = ''] = leftOutOf({ ...result, left_out: { total: 150, files } });
    assert.match(lost, /^f0 \(over the number of files that are kept\), f1 .*, f9 [^,]*, and 140 more$/);
    assert.deepEqual(leftOutOf(result), []);
  });

  it('are all files below output/ of a session', () => {
    const entry = { size: 3, modified: '2026-01-01T00:00:00.000Z' };
    const entries = [
      { ...entry, path: 'output/output/x', kind: 'file' as const },
      { ...entry, path: 'output/plots', kind: 'folder' as const },
      { ...entry, path: 'output/link', kind: 'other' as const },
    ];
    assert.deepEqual(artifactsIn(entries), [
      { name: 'x', relative_path: 'output/x', size: 3, mime: 'application/octet-stream' },
    ]);
    assert.deepEqual(toEntries({ entries: entries.slice(1) }), [
      {
        name: 'plots',
        path: 'output/plots',
        type: 'directory',
        size: 3,
        modified: '2026-01-01T00:00:00.000',
      },
      { name: 'link', path: 'output/link', type: 'file', size: 3, modified: '2026-01-01T00:00:00.000' },
    ]);
  });
});
