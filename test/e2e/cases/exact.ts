import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ExecutionRequestInput } from '../../../src/request/execution.ts';
import type { ExecutionResult } from '../../../src/result/execution-result.ts';

export interface Case {
  name: string;
  request: ExecutionRequestInput;
  check: (result: ExecutionResult) => void;
}

type Ending = Pick<ExecutionResult, 'status' | 'exit_code' | 'signal'>;

export const endings = {
  exited: (code: number): Ending => ({
    status: code === 0 ? 'succeeded' : 'failed',
    exit_code: code,
    signal: null,
  }),
  signalled: (name: string): Ending => ({ status: 'failed', exit_code: null, signal: name }),
};

/** Everything that a result says of what was written and how it ended. */
function said(result: ExecutionResult) {
  const { status, exit_code, signal, stdout, stderr, stdout_base64, stderr_base64, truncated } = result;
  const { stdout_bytes, stderr_bytes, hints, artifacts } = result;
  return {
    ...{ status, exit_code, signal, stdout, stderr, stdout_base64, stderr_base64, truncated },
    ...{ stdout_bytes, stderr_bytes, hints, artifacts },
  };
}

/** Checks the whole of a result: text on both streams, nothing cut, nothing added. */
function isExactly(stdout: string, stderr: string, code = 0) {
  return (result: ExecutionResult) => {
    assert.deepEqual(said(result), {
      ...endings.exited(code),
      ...{ stdout, stderr, stdout_base64: null, stderr_base64: null, truncated: false },
      stdout_bytes: Buffer.byteLength(stdout),
      stderr_bytes: Buffer.byteLength(stderr),
      ...{ hints: [], artifacts: [] },
    });
  };
}

/** The bytes that `noise` in a program makes, too: no two stretches of them are alike. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, number) =>
    createHash('sha256').update(String(number)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

const makeNoise = `import hashlib, sys
def noise(length):
    blocks = [hashlib.sha256(str(n).encode()).digest() for n in range(-(-length // 32))]
    return b''.join(blocks)[:length]
`;

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

const traceback = `def divide(n):
    return 1 / n

divide(0)
`;

const lines = (count: number, word: string) =>
  Array.from({ length: count }, (_, n) => `${word} ${n}\n`).join('');

const strange = 'Grüße, 世界, 🧪, e\u0301, \u202e, \ufeff, \ud7ff, \u{10ffff}\n';

export const exactCases: Case[] = [
  {
    name: 'prints to both streams',
    request: { code: 'import sys; print("out"); print("err", file=sys.stderr)' },
    check: isExactly('out\n', 'err\n'),
  },
  { name: 'an empty program', request: { code: '' }, check: isExactly('', '') },
  {
    name: 'no newline at the end, and none flushed',
    request: { code: 'print("a", end=""); import os; os._exit(4)' },
    check: isExactly('a', '', 4),
  },
  { name: 'sys.exit()', request: { code: 'import sys; sys.exit()' }, check: isExactly('', '') },
  { name: 'sys.exit(7)', request: { code: 'import sys; sys.exit(7)' }, check: isExactly('', '', 7) },
  {
    name: 'sys.exit with a message',
    request: { code: 'import sys; sys.exit("no such thing")' },
    check: isExactly('', 'no such thing\n', 1),
  },
  {
    name: 'an uncaught exception with a good traceback',
    request: { code: traceback },
    check({ status, exit_code, stderr }) {
      assert.deepEqual({ status, exit_code }, { status: 'failed', exit_code: 1 });
      // Python marks the place with carets from 3.11 on; where they stand differs by version.
      assert.deepEqual(
        stderr.split('\n').filter((line) => !/^[ ~^]*$/.test(line)),
        [
          'Traceback (most recent call last):',
          '  File "/workspace/main.py", line 4, in <module>',
          '    divide(0)',
          '  File "/workspace/main.py", line 2, in divide',
          '    return 1 / n',
          'ZeroDivisionError: division by zero',
        ],
      );
    },
  },
  {
    name: 'a syntax error',
    request: { code: 'print("never")\nif True print()' },
    check({ status, exit_code, stdout, stderr }) {
      assert.deepEqual({ status, exit_code, stdout }, { status: 'failed', exit_code: 1, stdout: '' });
      assert.match(stderr, /^ {2}File "\/workspace\/main\.py", line 2\n/);
      assert.match(stderr, /SyntaxError: /);
    },
  },
  {
    name: 'stdin, arguments and variables',
    request: {
      code: `import os, sys
print(sys.argv)
print(os.environ['GREETING'])
for line in sys.stdin: print(repr(line))`,
      stdin: 'first\nzweite: ü\nlast',
      args: ['--name', 'a b', '', '"quoted" $HOME \\ 世'],
      env: { GREETING: 'hello, "world" = $PATH' },
    },
    check: isExactly(
      `['/workspace/main.py', '--name', 'a b', '', '"quoted" $HOME \\\\ 世']\n` +
        'hello, "world" = $PATH\n' +
        "'first\\n'\n'zweite: ü\\n'\n'last'\n",
      '',
    ),
  },
  {
    name: 'no stdin is an empty one',
    request: { code: 'import sys; print(repr(sys.stdin.read()))' },
    check: isExactly("''\n", ''),
  },
  {
    name: '1 MB of stdin',
    request: {
      code: 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())',
      stdin: noise(500_000).toString('hex'),
    },
    check: isExactly(`${sha256(noise(500_000).toString('hex'))}\n`, ''),
  },
  {
    name: 'runs as __main__ from a file, with multiprocessing and pickled classes',
    request: {
      code: `import dataclasses, multiprocessing, os, pickle
@dataclasses.dataclass
class Point:
    x: int
def double(point): return Point(point.x * 2)
if __name__ == '__main__':
    print(__file__, os.getcwd())
    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(double, [Point(2)]))
    print(pickle.loads(pickle.dumps(Point(3))))`,
      limits: { cpu: 1 },
    },
    check: isExactly('/workspace/main.py /workspace\n[Point(x=4)]\nPoint(x=3)\n', ''),
  },
  {
    name: 'unicode, in code and on both streams',
    request: { code: `import sys\ns = ${JSON.stringify(strange)}\nprint(s, end='')\nsys.stderr.write(s)` },
    check: isExactly(strange, strange),
  },
  {
    name: 'NUL and control characters',
    request: { code: 'print("a\\0b\\x01\\x1b[31m\\r\\x7f")' },
    check: isExactly('a\0b\x01\x1b[31m\r\x7f\n', ''),
  },
  {
    name: 'bytes that are not UTF-8',
    request: {
      code: `import os
os.write(1, bytes(range(256)))
os.write(2, b'ok then \\xc3')`,
    },
    check(result) {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      assert.deepEqual(endings.exited(0), {
        status: result.status,
        exit_code: result.exit_code,
        signal: result.signal,
      });
      assert.equal(result.stdout_base64, bytes.toString('base64'));
      assert.equal(result.stdout, bytes.toString('utf8'));
      assert.equal(result.stderr_base64, Buffer.from('ok then \xc3', 'latin1').toString('base64'));
      assert.deepEqual([result.stdout_bytes, result.stderr_bytes, result.truncated], [256, 9, false]);
    },
  },
  {
    name: 'characters written in halves',
    request: {
      code: `import os, time
for byte in '世🧪'.encode():
    os.write(1, bytes([byte]))
    time.sleep(0.02)`,
    },
    check: isExactly('世🧪', ''),
  },
  {
    name: '1 MiB of bytes, exact by SHA-256',
    request: {
      code: `${makeNoise}
sys.stdout.buffer.write(noise(1 << 20)); print(hashlib.sha256(noise(1 << 20)).hexdigest(), file=sys.stderr)`,
      limits: { cpu: 1 },
    },
    check(result) {
      const bytes = Buffer.from(result.stdout_base64 ?? '', 'base64');
      assert.equal(bytes.length, 1_048_576);
      assert.equal(sha256(bytes), sha256(noise(1_048_576)));
      assert.equal(result.stderr, `${sha256(bytes)}\n`);
      assert.deepEqual(
        [result.status, result.truncated, result.stdout_bytes],
        ['succeeded', false, 1_048_576],
      );
    },
  },
  {
    name: '1 MB of lines on both streams, exact by SHA-256',
    request: {
      code: `${makeNoise}
whole = noise(491_520)
text = '\\n'.join(whole[n : n + 32].hex() for n in range(0, len(whole), 32))
sys.stdout.write(text); sys.stderr.write(text)`,
      limits: { cpu: 1 },
    },
    check(result) {
      const text = noise(491_520)
        .toString('hex')
        .replaceAll(/.{64}(?=.)/g, '$&\n');
      assert.equal(text.length, 998_399);
      assert.equal(sha256(result.stdout), sha256(text));
      assert.equal(sha256(result.stderr), sha256(text));
      assert.deepEqual([result.status, result.truncated], ['succeeded', false]);
    },
  },
  {
    name: 'both streams in turns, as fast as it goes',
    request: {
      code: `import sys
for n in range(3000):
    print('out', n)
    print('err', n, file=sys.stderr)`,
    },
    check: isExactly(lines(3000, 'out'), lines(3000, 'err')),
  },
];
