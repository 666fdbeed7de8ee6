import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { notesOf, withLines } from '../../../../src/serve/dialects/notes.ts';
import { result } from '../../support/result.ts';

describe('notesOf', () => {
  for (const [name, changes, lost, notes] of [
    ['nothing of a run that is all there', {}, [], []],
    ['nothing of a program that failed by itself', { status: 'failed', message: 'x' }, [], []],
    ['how it ended otherwise', { status: 'node_lost', message: 'Lost.' }, [], ['Lost.']],
    ['which signal ended it', { status: 'failed', signal: 'SIGKILL', message: 'x' }, [], ['x']],
    [
      'once why it was killed, without the names of fields',
      { status: 'out_of_memory', signal: 'SIGKILL', message: 'Raise limits.memory_mb.' },
      [],
      ['The code used more memory than it may: use less at one time.'],
    ],
    ['nothing of a time-out', { status: 'timed_out', signal: 'SIGKILL', message: 'x' }, [], []],
    [
      'that output is cut',
      { truncated: true, stdout_bytes: 10, stderr_bytes: 2 },
      [],
      ['Of 10 bytes on stdout and 2 on stderr only the beginning is kept.'],
    ],
    ['which files are lost', {}, ['a (x)', 'b (y)'], ['Files that are not kept: a (x), b (y).']],
    [
      'some of many files',
      {},
      Array.from({ length: 12 }, (_, index) => `f${index}`),
      ['Files that are not kept: f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, and 2 more.'],
    ],
  ] as const) {
    it(`says ${name}`, () => {
      assert.deepEqual(notesOf({ ...result, ...changes }, lost), notes);
    });
  }
});

describe('withLines', () => {
  for (const [text, lines, all] of [
    ['a', [], 'a'],
    ['', ['b'], 'b\n'],
    ['a', ['b', 'c'], 'a\nb\nc\n'],
    ['a\n', ['b'], 'a\nb\n'],
  ] as const) {
    it(`puts ${lines.length} after ${JSON.stringify(text)}`, () => {
      assert.equal(withLines(text, lines), all);
    });
  }
});
