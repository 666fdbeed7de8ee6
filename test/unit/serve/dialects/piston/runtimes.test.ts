import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PistonRuntime } from '../../../../../src/piston/piston.ts';
import { findRuntime, listed, pythonRuntimes } from '../../../../../src/serve/dialects/piston/runtimes.ts';

const gcc: PistonRuntime = { language: 'c', version: '10.2.0', aliases: ['gcc'], runtime: 'gcc' };
const odd: PistonRuntime = { language: 'c', version: 'newest', aliases: ['gcc'] };
const runtimes = [...pythonRuntimes(['3.13.5', '3.10.0', '3.13.5', '2.7.18']), gcc, odd];

describe('runtimes of Piston', () => {
  it('are Python by each of its versions, once', () => {
    assert.deepEqual(pythonRuntimes(['3.13.5', '3.10.0', '3.13.5']), [
      { language: 'python', version: '3.13.5', aliases: ['py', 'py3', 'python3', 'python3.13'] },
      { language: 'python', version: '3.10.0', aliases: ['py', 'py3', 'python3', 'python3.10'] },
    ]);
  });

  it('say what they run on where that has a name', () => {
    assert.equal(JSON.stringify(listed(gcc)), JSON.stringify(gcc));
    assert.deepEqual(Object.keys(listed(odd)), ['language', 'version', 'aliases']);
  });

  const found: [language: string, selector: string, version: string | undefined][] = [
    ['python', '3.10.0', '3.10.0'],
    ['py3', '*', '3.13.5'],
    ['py', '3', '3.13.5'],
    ['py', '3.x', '3.13.5'],
    ['py', '3.10', '3.10.0'],
    ['py', '~3.10', '3.10.0'],
    ['py', '^3.9.0', '3.13.5'],
    ['py', '>=3.9 <3.13', '3.10.0'],
    ['py', 'v3.10.0', '3.10.0'],
    ['py', ' 3.10.0 ', '3.10.0'],
    ['py', '=3.10.0', '3.10.0'],
    ['py', '3.10.0 || 2.7.18', '3.10.0'],
    ['py', '2', '2.7.18'],
    ['python3.10', '*', '3.10.0'],
    ['python3.10', '3.13.5', undefined],
    ['python', '3.11.0', undefined],
    ['python', 'latest', undefined],
    ['Python', '*', undefined],
    ['gcc', '*', '10.2.0'],
    ['gcc ', '*', undefined],
    ['nope', '*', undefined],
  ];
  for (const [language, selector, version] of found) {
    it(`${language} "${selector}" is ${version ?? 'unknown'}`, () => {
      assert.equal(findRuntime(runtimes, language, selector)?.version, version);
    });
  }
});
