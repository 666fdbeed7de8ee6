import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signalNumber } from '../../../src/result/signal.ts';

describe('signalNumber', () => {
  for (const [name, number] of [
    ['SIGSEGV', 11],
    ['SIGKILL', 9],
    ['SIGRTMIN', 34],
    ['SIGRTMIN+6', 40],
    ['SIGRTMIN+-1', 33],
    ['SIGRTMAX', 64],
    ['no such signal', 9],
    ['constructor', 9],
  ] as const) {
    it(name, () => {
      assert.equal(signalNumber(name), number);
    });
  }
});
