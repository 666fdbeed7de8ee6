import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PistonRuntime } from '../../../src/piston/piston.ts';
import { findRuntime, isPistonFault } from '../../../src/piston/runtimes.ts';
import { ServiceError } from '../../../src/result/errors.ts';

const python = (version: string): PistonRuntime => ({
  language: 'python',
  version,
  aliases: ['py', 'py3', `python${version.split('.').slice(0, 2).join('.')}`],
});
const gcc: PistonRuntime = { language: 'c', version: '10.2.0', aliases: ['gcc'], runtime: 'gcc' };
const odd: PistonRuntime = { language: 'c', version: 'newest', aliases: ['gcc'] };
const runtimes = [python('3.13.5'), python('3.10.0'), python('2.7.18'), gcc, odd];

describe('findRuntime', () => {
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

  it('takes the newest where no version is named', () => {
    assert.equal(
      findRuntime([python('2.7.18'), python('3.13.5'), python('3.10.0')], 'py')?.version,
      '3.13.5',
    );
  });
});

describe('isPistonFault', () => {
  for (const [error, is] of [
    [new ServiceError('piston_unavailable', ''), true],
    [new ServiceError('piston_failed', ''), true],
    [new ServiceError('queue_full', ''), false],
    [new Error('piston_failed'), false],
  ] as const) {
    it(`${error instanceof ServiceError ? error.code : 'another error'}: ${is}`, () => {
      assert.equal(isPistonFault(error), is);
    });
  }
});
