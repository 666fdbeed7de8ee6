import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from '../../../src/result/errors.ts';
import { renderRuntimes, runtimeLister } from '../../../src/serve/runtimes.ts';

const options = { signal: AbortSignal.timeout(1000), onProgress: () => undefined };
const version = () => Promise.resolve('3.13.5');
const python = { language: 'python', version: '3.13.5', aliases: [], isolation: 'sandbox' };

describe('languages', () => {
  it('are Python alone where there is no Piston', async () => {
    assert.deepEqual(await runtimeLister(version, undefined)(options), {
      runtimes: [python],
      hints: [],
    });
  });

  it('are those of a Piston, too, but for its Python', async () => {
    const runtimes = () =>
      Promise.resolve([
        { language: 'python', version: '3.10.0', aliases: ['py'] },
        { language: 'go', version: '1.16.2', aliases: ['go', 'golang'], runtime: 'x' },
      ]);
    const list = await runtimeLister(version, { runtimes })(options);
    const go = { language: 'go', version: '1.16.2', aliases: ['go', 'golang'], isolation: 'piston' };
    assert.deepEqual(list, { runtimes: [python, go], hints: [] });
    assert.equal(renderRuntimes(list), 'python 3.13.5\ngo 1.16.2 (go, golang), on a shared service');
  });

  it('are Python where the Piston does not answer, and why', async () => {
    const runtimes = () => Promise.reject(new ServiceError('piston_unavailable', 'No answer.'));
    const list = await runtimeLister(version, { runtimes })(options);
    const hint = 'Other languages than Python are not listed: No answer.';
    assert.deepEqual(list, { runtimes: [python], hints: [hint] });
    assert.equal(renderRuntimes(list), `python 3.13.5\n${hint}`);
  });

  it('are not told to who leaves', async () => {
    const runtimes = () => Promise.reject(new Error('left'));
    await assert.rejects(runtimeLister(version, { runtimes })(options), /left/);
  });
});
