import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { unlessAborted } from '../../src/unless-aborted.ts';

describe('unlessAborted', () => {
  it('gives what the promise gives, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
    await assert.rejects(unlessAborted(Promise.reject(new Error('failed')), signal), /failed/);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('throws the reason of the signal, then and later, and takes a late failure for nobody’s', async () => {
    const stop = new AbortController();
    const work = Promise.withResolvers<never>();
    const waiting = unlessAborted(work.promise, stop.signal);
    stop.abort(new Error('left'));
    await assert.rejects(waiting, /left/);
    await assert.rejects(unlessAborted(work.promise, stop.signal), /left/);
    work.reject(new Error('late')); // unhandled, it would end this process
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  });
});
