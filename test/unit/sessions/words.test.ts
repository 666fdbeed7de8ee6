import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionEnds } from '../../../src/schedule/backend.ts';
import { type Leaving, sessionEnded, whatIsLeft } from '../../../src/sessions/words.ts';

describe('sessionEnded', () => {
  it('says why, in words of its own for each end', () => {
    const messages = sessionEnds.map((why) => sessionEnded(why).message);
    assert.equal(new Set(messages).size, sessionEnds.length);
    for (const message of messages) assert.match(message, /^The session has ended, because .*[a-z]\.$/);
  });
});

describe('whatIsLeft', () => {
  const cell: Leaving = { mode: 'cell', lost: false, kept: true, hadVariables: true };
  const table: [what: string, leaving: Leaving, words: RegExp | undefined][] = [
    ['a run that ended by itself', cell, undefined],
    ['a cell that ended its interpreter', { ...cell, kept: false }, /files stay, the variables are gone/],
    ['the first cell of a session', { ...cell, kept: false, hadVariables: false }, /files stay, the var/],
    ['a program after cells', { ...cell, mode: 'program', kept: false }, /files .* stay; its variables are/],
    [
      'a program that found no variables',
      { ...cell, mode: 'program', kept: false, hadVariables: false },
      undefined,
    ],
    ['a sandbox that is lost', { ...cell, lost: true }, /The session has ended with it/],
  ];
  for (const [what, leaving, words] of table) {
    it(`tells of ${what}`, () => {
      const told = whatIsLeft(leaving);
      if (words === undefined) assert.equal(told, undefined);
      else assert.match(told ?? '', words);
    });
  }
});
