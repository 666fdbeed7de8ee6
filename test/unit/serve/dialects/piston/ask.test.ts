import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PistonRuntime } from '../../../../../src/piston/piston.ts';
import { type Bounds, readAsked, readWanted } from '../../../../../src/serve/dialects/piston/ask.ts';
import { Refusal } from '../../../../../src/serve/dialects/piston/refusal.ts';

const runtime: PistonRuntime = { language: 'python', version: '3.10.0', aliases: [] };
const bounds: Bounds = {
  files: 3,
  bytes: 20,
  limits: {
    compile_memory_limit: 1000,
    run_memory_limit: 1000,
    compile_timeout: 10_000,
    run_timeout: 3000,
    compile_cpu_time: 10_000,
    run_cpu_time: 3000,
  },
};
const asking = (more: object = {}) => ({
  language: 'python',
  version: '3',
  files: [{ content: 'a' }],
  ...more,
});

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  throw new Error('It is not refused.');
}

describe('what a client of Piston wants', () => {
  const wrong: [body: unknown, message: string][] = [
    [undefined, 'language is required as a string'],
    [null, 'language is required as a string'],
    [[], 'language is required as a string'],
    [{ language: 1 }, 'language is required as a string'],
    [{ language: '', version: 1 }, 'language is required as a string'],
    [{ language: 'a' }, 'version is required as a string'],
    [{ language: 'a', version: 3.1 }, 'version is required as a string'],
    [{ language: 'a', version: '' }, 'version is required as a string'],
    [{ language: 'a', version: '1'.repeat(257) }, 'version cannot exceed 256 characters'],
    [{ language: 'a'.repeat(257), version: '1' }, 'language cannot exceed 256 characters'],
    [{ language: 'a', version: '1' }, 'files is required as an array'],
    [{ language: 'a', version: '1', files: { 0: {} } }, 'files is required as an array'],
    [{ language: 'a', version: '1', files: [null] }, 'files[0].content is required as a string'],
    [{ language: 'a', version: '1', files: ['x'] }, 'files[0].content is required as a string'],
    [
      { language: 'a', version: '1', files: [{ content: '' }, { content: 5 }] },
      'files[1].content is required as a string',
    ],
  ];
  for (const [body, message] of wrong) {
    it(`is refused as ${JSON.stringify({ body }).slice(0, 80)}`, () => {
      assert.equal(
        refusal(() => readWanted(body)),
        message,
      );
    });
  }

  it('is taken as it is', () => {
    assert.deepEqual(readWanted({ ...asking(), more: 1 }), asking());
  });
});

describe('what a client of Piston asks', () => {
  const read = (more: object, within = bounds) => readAsked(asking(more), runtime, within);

  const wrong: [more: object, message: string | RegExp][] = [
    [{ files: [] }, 'files must include at least one utf8 encoded file'],
    [{ files: [{ content: '', encoding: 'hex' }] }, 'files must include at least one utf8 encoded file'],
    [{ files: [{ content: '', encoding: 'rot13' }] }, 'files must include at least one utf8 encoded file'],
    [{ run_timeout: '5' }, 'If specified, run_timeout must be a number'],
    [{ run_timeout: true }, 'If specified, run_timeout must be a number'],
    [{ run_timeout: 3000.5 }, 'run_timeout cannot exceed the configured limit of 3000'],
    [{ run_timeout: -1 }, 'run_timeout must be non-negative'],
    [{ compile_cpu_time: -1 }, 'compile_cpu_time must be non-negative'],
    [{ run_memory_limit: 1001 }, 'run_memory_limit cannot exceed the configured limit of 1000'],
    [
      { run_timeout: -1, compile_timeout: 99_999 },
      'compile_timeout cannot exceed the configured limit of 10000',
    ],
    [{ run_timeout: -1, run_memory_limit: 'x' }, 'If specified, run_memory_limit must be a number'],
    [{ run_timeout: -1, stdin: 5 }, 'run_timeout must be non-negative'],
    [{ stdin: 5 }, 'If specified, stdin must be a string'],
    [{ stdin: ['a'] }, 'If specified, stdin must be a string'],
    [{ args: 'abc' }, 'If specified, args must be an array of strings'],
    [{ args: {} }, 'If specified, args must be an array of strings'],
    [{ args: [null] }, 'If specified, args must be an array of strings'],
    [{ files: [{ name: 5, content: '' }] }, 'If specified, files[0].name must be a string'],
    [{ files: [{ name: '/a', content: '' }] }, /^files\[0\]\.name: a path is relative/],
    [{ files: [{ content: '' }, { name: '../a', content: '' }] }, /^files\[1\]\.name: a path is relative/],
    [{ files: [{ name: '.', content: '' }] }, /^files\[0\]\.name: a path is relative/],
    [{ files: [{ name: 'a\0', content: '' }] }, /^files\[0\]\.name: a path is relative/],
    [{ files: Array(4).fill({ content: '' }) }, 'files cannot exceed the configured limit of 3'],
    [
      { files: [{ content: 'é'.repeat(10) }, { content: 'YQ==', encoding: 'base64' }] },
      'files are 21 bytes; they cannot exceed the configured limit of 20',
    ],
  ];
  for (const [more, message] of wrong) {
    it(`is refused with ${JSON.stringify(more).slice(0, 80)}`, () => {
      const said = refusal(() => read(more));
      if (typeof message === 'string') assert.equal(said, message);
      else assert.match(said, message);
    });
  }

  it('has its defaults', () => {
    assert.deepEqual(read({}), {
      runtime,
      files: [{ name: 'file0.code', isNamed: false, content: 'a', encoding: 'utf8' }],
      stdin: '\n',
      args: [],
      limits: {},
    });
  });

  it('has files by name, and by their place where they have none', () => {
    const files = [
      { content: 'a', name: '' },
      { content: 'b', name: null, encoding: 'base64' },
      { content: 'c', name: 'd/e.py', encoding: 'rot13' },
    ];
    assert.deepEqual(
      read({ files }).files.map(({ name, isNamed, encoding }) => [name, isNamed, encoding]),
      [
        ['file0.code', false, 'utf8'],
        ['file1.code', false, 'base64'],
        ['d/e.py', true, 'utf8'],
      ],
    );
  });

  it('ends the last line of stdin, once', () => {
    const stdins = [null, '', 'a', 'a\n', 'a\n\n'].map((stdin) => read({ stdin }).stdin);
    assert.deepEqual(stdins, ['\n', '\n', 'a\n', 'a\n', 'a\n\n']);
  });

  it('takes numbers among arguments', () => {
    assert.deepEqual(read({ args: ['a', 1, ''] }).args, ['a', '1', '']);
    assert.deepEqual(read({ args: null }).args, []);
  });

  it('lifts no limit by asking for none', () => {
    for (const none of [0, false, null, '', undefined])
      assert.deepEqual(read({ run_timeout: none, run_memory_limit: none, run_cpu_time: none }).limits, {});
    assert.deepEqual(read({ run_memory_limit: -1, compile_memory_limit: -1 }).limits, {});
    assert.deepEqual(read({ run_timeout: 2500.5, run_memory_limit: 1000 }).limits, {
      run_memory_limit: 1000,
      run_timeout: 2500.5,
    });
  });

  it('leaves the most of a limit to those that know it', () => {
    const elsewhere = { ...bounds, limits: undefined };
    assert.deepEqual(read({ run_timeout: 99_999 }, elsewhere).limits, { run_timeout: 99_999 });
    assert.equal(
      refusal(() => read({ run_timeout: 'x' }, elsewhere)),
      'If specified, run_timeout must be a number',
    );
  });
});
