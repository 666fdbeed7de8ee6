import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { createChannel } from '../../../src/artifacts/channel.ts';

const chunk = (of: string) => Buffer.from(of);

/** Whether a promise has been kept by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.finally(() => (done = true));
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  return done;
}

describe('createChannel', () => {
  it('hands chunks on in order', async () => {
    const channel = createChannel(3);
    const read = text(channel);
    for (const each of ['a', 'b', 'c', 'd', 'e']) await channel.push(chunk(each));
    channel.end();
    assert.equal(await read, 'abcde');
  });

  it('makes who pushes wait until there is room', async () => {
    const channel = createChannel(2);
    assert.ok(await isDone(channel.push(chunk('a'))));
    const second = channel.push(chunk('b'));
    assert.equal(await isDone(second), false);
    const reader = channel[Symbol.asyncIterator]();
    assert.equal(String((await reader.next()).value), 'a');
    assert.ok(await isDone(second));
  });

  it('fails for the reader, at once', async () => {
    const channel = createChannel(2);
    await channel.push(chunk('a'));
    const pushing = channel.push(chunk('b'));
    channel.fail(new Error('broken'));
    channel.fail(new Error('again'));
    await pushing;
    await channel.push(chunk('c'));
    await assert.rejects(text(channel), { message: 'broken' });
  });

  it('fails for a reader that waits', async () => {
    const channel = createChannel(2);
    const read = text(channel);
    assert.equal(await isDone(read.catch(() => undefined)), false);
    channel.fail(new Error('broken'));
    await assert.rejects(read, { message: 'broken' });
  });

  it('throws away what comes when nobody reads any more', async () => {
    const channel = createChannel(1);
    const pushing = channel.push(chunk('a'));
    channel.discard();
    await pushing;
    for (let each = 0; each < 10; each += 1) await channel.push(chunk('b'));
    assert.equal(await text(channel), '');
  });
});
