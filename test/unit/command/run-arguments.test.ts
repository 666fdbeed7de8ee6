import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRunArguments, type RunArguments } from '../../../src/command/run-arguments.ts';

const nothing: RunArguments = { file: 'a.py', args: [], mounts: [], requirements: [], output: undefined };

describe('parseRunArguments', () => {
  const table: [args: string[], parsed: Partial<RunArguments> | undefined][] = [
    [['a.py'], {}],
    [['a.py', '--file', '-x', '--'], { args: ['--file', '-x', '--'] }],
    [['--', '-a.py', 'x'], { file: '-a.py', args: ['x'] }],
    [
      ['--require', 'polars', '--require', 'httpx>=0.27', 'a.py'],
      { requirements: ['polars', 'httpx>=0.27'] },
    ],
    [['--output', 'out', 'a.py', 'b'], { output: 'out', args: ['b'] }],
    [['--file', 'b/c.csv=/tmp/d=e', 'a.py'], { mounts: [{ path: 'b/c.csv', source: '/tmp/d=e' }] }],
    [['--file', './b/c.csv', 'a.py'], { mounts: [{ path: 'b/c.csv', source: './b/c.csv' }] }],
    [['--file', '/tmp/c.csv', 'a.py'], { mounts: [{ path: 'c.csv', source: '/tmp/c.csv' }] }],
    [['--file', '..b/c.csv', 'a.py'], { mounts: [{ path: '..b/c.csv', source: '..b/c.csv' }] }],
    [['--file', '../c.csv', 'a.py'], { mounts: [{ path: 'c.csv', source: '../c.csv' }] }],
    [[], undefined],
    [['--'], undefined],
    [['--output'], undefined],
    [['--output', 'out'], undefined],
    [['--other', 'x', 'a.py'], undefined],
  ];
  for (const [args, parsed] of table) {
    it(args.join(' ') || 'nothing', () => {
      assert.deepEqual(parseRunArguments(args), parsed && { ...nothing, ...parsed });
    });
  }
});
