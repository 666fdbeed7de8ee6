import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PistonRuntime } from '../../../../../src/piston/piston.ts';
import { listed, pythonRuntimes } from '../../../../../src/serve/dialects/piston/runtimes.ts';

const gcc: PistonRuntime = { language: 'c', version: '10.2.0', aliases: ['gcc'], runtime: 'gcc' };
const odd: PistonRuntime = { language: 'c', version: 'newest', aliases: ['gcc'] };

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
});
