import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { executionRequest } from '../../../src/request/execution.ts';

const sizes = {
  maxCodeBytes: 10,
  maxStdinBytes: 4,
  inputFiles: 2,
  inputBytes: 8,
  fetchHosts: [],
  packagesAllowed: [],
  packagesDenied: ['denied'],
  pistonUrl: '',
};

const schema = executionRequest({ ...sizes, pools: [{ name: 'one' }, { name: 'two' }] });

function faultsOf(request: unknown): string[] {
  const parsed = schema.safeParse(request);
  return parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

describe('executionRequest', () => {
  it('needs only code, and has a value for all else', () => {
    assert.deepEqual(schema.parse({ code: '1' }), {
      code: '1',
      language: 'python',
      stdin: '',
      args: [],
      env: {},
      fresh_interpreter: false,
      files: [],
      requirements: [],
      limits: {},
    });
  });

  it('keeps all that is asked', () => {
    const request = {
      code: '',
      language: 'python' as const,
      session_id: 'ses_abcdefghijklmnopqrst',
      fresh_interpreter: true,
      stdin: 'in\0\n',
      args: ['', '-x', 'ünï'],
      env: { _A1: 'value', lower: '' },
      files: [{ path: 'a.txt', content: 'a' }],
      requirements: ['polars>=1'],
      pool: 'two',
      timeout_seconds: 0.1,
      limits: { cpu: 0.05, memory_mb: 64 },
    };
    assert.deepEqual(schema.parse(request), request);
  });

  it('counts bytes, not characters', () => {
    assert.deepEqual(faultsOf({ code: 'ä'.repeat(5) }), []);
    assert.deepEqual(faultsOf({ code: 'ä'.repeat(5) + 'x' }), [
      'code: the code is 11 bytes long; the limit is 10',
    ]);
    assert.deepEqual(faultsOf({ code: '', stdin: '😀' }), []);
    assert.deepEqual(faultsOf({ code: '', stdin: '😀!' }), ['stdin: stdin is 5 bytes long; the limit is 4']);
  });

  const half = '\ud800';
  const noUtf8 = 'holds half of a surrogate pair, which has no UTF-8 form';
  const noPool = (name: string) => `there is no pool "${name}" here`;
  const noNul = 'a NUL cannot be passed in arguments and variables';
  const wrong: [what: string, request: object, faults: string[]][] = [
    ['no code', {}, ['code: Invalid input: expected string, received undefined']],
    ['code of another type', { code: 1 }, ['code: Invalid input: expected string, received number']],
    [
      'another language',
      { code: '', language: 'ruby' },
      ['language: there is no language "ruby" here; there is: python'],
    ],
    ['an unknown field', { code: '', timeout: 3 }, [': Unrecognized key: "timeout"']],
    ['unknown fields', { code: '', a: 1, b: 2 }, [': Unrecognized keys: "a", "b"']],
    ['an unknown pool', { code: '', pool: 'three' }, [`pool: ${noPool('three')}; there are: one, two`]],
    ['no pool', { code: '', pool: '' }, [`pool: ${noPool('')}; there are: one, two`]],
    ['an unknown limit', { code: '', limits: { memory: 3 } }, ['limits: Unrecognized key: "memory"']],
    ['half a character of code', { code: half }, [`code: the code ${noUtf8}`]],
    ['half a character of stdin', { code: '', stdin: half }, [`stdin: stdin ${noUtf8}`]],
    ['half a character of an argument', { code: '', args: ['', half] }, [`args.1: the text ${noUtf8}`]],
    ['half a character of a variable', { code: '', env: { A: half } }, [`env.A: the text ${noUtf8}`]],
    ['a NUL in an argument', { code: '', args: ['a\0'] }, [`args.0: ${noNul}`]],
    ['a NUL in a variable', { code: '', env: { A: '\0' } }, [`env.A: ${noNul}`]],
    [
      'too many arguments',
      { code: '', args: Array.from({ length: 257 }, () => '') },
      ['args: Too big: expected array to have <=256 items'],
    ],
    [
      'arguments too long together',
      { code: '', args: ['ä'.repeat(65_536), 'x'] },
      ['args: the arguments are longer than 131072 bytes together'],
    ],
    [
      'too many variables',
      { code: '', env: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`V${i}`, ''])) },
      ['env: more than 256 variables'],
    ],
    [
      'variables too long together',
      { code: '', env: { A: 'x'.repeat(131_072), B: 'y' } },
      ['env: the variables are longer than 131072 bytes together'],
    ],
    [
      'files of more than there is room for',
      { code: '', files: [{ path: 'a', content: 'ä'.repeat(5) }] },
      ['files: the files are 10 bytes long together; the limit is 8'],
    ],
    [
      'a package that is not allowed',
      { code: '', requirements: ['denied'] },
      ['requirements.0: "denied": the package "denied" is not allowed on this server (packagesDenied)'],
    ],
    ['no time', { code: '', timeout_seconds: 0 }, ['timeout_seconds: Too small: expected number to be >0']],
    [
      'endless time',
      { code: '', timeout_seconds: Infinity },
      ['timeout_seconds: Invalid input: expected number, received Infinity'],
    ],
    ['no CPU', { code: '', limits: { cpu: 0.01 } }, ['limits.cpu: Too small: expected number to be >=0.05']],
    [
      'no memory',
      { code: '', limits: { memory_mb: 31 } },
      ['limits.memory_mb: Too small: expected number to be >=64'],
    ],
    [
      'a part of a MiB',
      { code: '', limits: { memory_mb: 64.5 } },
      ['limits.memory_mb: Invalid input: expected int, received number'],
    ],
  ];
  for (const [what, request, faults] of wrong) {
    it(`refuses ${what}`, () => {
      assert.deepEqual(faultsOf(request), faults);
    });
  }

  for (const name of ['', '1A', 'A-B', 'A=B', 'A\n', 'Ä']) {
    it(`refuses a variable named ${JSON.stringify(name)}`, () => {
      const [fault] = faultsOf({ code: '', env: { [name]: '' } });
      assert.ok(fault?.startsWith(`env.${name}: `), fault);
    });
  }

  it('takes what just fits', () => {
    assert.deepEqual(
      faultsOf({
        code: 'x'.repeat(10),
        stdin: 'x'.repeat(4),
        args: [...Array.from({ length: 255 }, () => ''), 'x'.repeat(131_072)],
        env: Object.fromEntries(
          Array.from({ length: 256 }, (_, i) => [`V${i}`, i === 0 ? 'x'.repeat(131_072) : '']),
        ),
      }),
      [],
    );
  });

  it('takes no pool where there is none', () => {
    const parsed = executionRequest({ ...sizes, pools: [] }).safeParse({ code: '', pool: 'one' });
    assert.equal(parsed.error?.issues[0]?.message, 'Unrecognized key: "pool"');
  });
});
