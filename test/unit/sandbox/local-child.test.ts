import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { write } from '../../../src/sandbox/local-child.ts';

const never = new AbortController().signal;
const chunk = Buffer.alloc(1000);

/** A pipe that one chunk fills. */
function pipe() {
  const stdin = new PassThrough({ highWaterMark: 10 });
  const listeners = () => ['drain', 'close', 'error'].map((event) => stdin.listenerCount(event));
  return { stdin, listeners };
}

describe('write', () => {
  it('waits for room, and leaves nobody who listens', async () => {
    const { stdin, listeners } = pipe();
    const before = listeners();
    let written = false;
    const writing = write({ stdin }, chunk, never).then(() => (written = true));
    await new Promise(setImmediate);
    assert.equal(written, false);
    stdin.resume();
    await writing;
    assert.deepEqual(listeners(), before);
  });

  it('waits no longer than its run, or the sandbox, goes on', async () => {
    const { stdin, listeners } = pipe();
    const before = listeners();
    const stop = new AbortController();
    const stopped = write({ stdin }, chunk, stop.signal);
    stop.abort();
    await stopped;
    await write({ stdin }, chunk, stop.signal);
    assert.deepEqual(listeners(), before);
    const ended = write({ stdin }, chunk, never);
    stdin.destroy();
    await ended;
    await write({ stdin }, chunk, never);
  });
});
