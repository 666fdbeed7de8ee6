import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { attach } from '../../../src/sandbox/attach.ts';
import { fakeClient } from '../support/fake-client.ts';
import { mockTimers } from '../support/mock-timers.ts';

const never = new AbortController().signal;

/** A connection whose other end is the test. */
class FakeSocket extends EventEmitter {
  readonly sent: Buffer[] = [];
  isBroken = false;
  isPaused = false;
  terminated = 0;
  pings = 0;

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  ping(): void {
    this.pings += 1;
  }

  send(message: Buffer, done: (error?: Error) => void): void {
    this.sent.push(message);
    setImmediate(done, this.isBroken ? new Error('broken') : undefined);
  }

  terminate(): void {
    this.terminated += 1;
    this.emit('close');
  }

  say(text: string, channel = 1): void {
    this.emit('message', Buffer.concat([Buffer.of(channel), Buffer.from(text)]));
  }
}

async function attached(t: TestContext) {
  const socket = new FakeSocket();
  const client = fakeClient({ socket: () => socket as unknown as WebSocket });
  const attachment = await attach(client, '/pod', never);
  t.after(() => {
    attachment.close();
  });
  return { socket, attachment };
}

/** Reads as many pieces as are asked for, and stops as a reader does that has what it wants. */
async function take(stdout: AsyncIterable<Buffer>, pieces: number): Promise<string[]> {
  const got: string[] = [];
  for await (const piece of stdout) {
    got.push(piece.toString('utf8'));
    if (got.length === pieces) break;
  }
  return got;
}

describe('attach', () => {
  it('gives stdout to one reader after the other, each from where the last left it', async (t) => {
    const { socket, attachment } = await attached(t);
    socket.say('one');
    socket.say('two');
    assert.deepEqual(await take(attachment.stdout(never), 1), ['one']);
    socket.say('three');
    assert.deepEqual(await take(attachment.stdout(never), 2), ['two', 'three']);
    const last = take(attachment.stdout(never), 1);
    socket.say('four');
    assert.deepEqual(await last, ['four']);
  });

  it('gives stdout alone, and no empty piece of it', async (t) => {
    const { socket, attachment } = await attached(t);
    socket.say('err', 2);
    socket.say('{"status":"Success"}', 3);
    socket.say('');
    socket.say('out');
    assert.deepEqual(await take(attachment.stdout(never), 1), ['out']);
  });

  it('ends stdout with the connection, after what came before its end', async (t) => {
    const { socket, attachment } = await attached(t);
    socket.say('one');
    assert.equal(attachment.ended.aborted, false);
    socket.emit('close');
    assert.equal(attachment.ended.aborted, true);
    assert.deepEqual(await take(attachment.stdout(never), 9), ['one']);
    assert.deepEqual(await take(attachment.stdout(never), 9), [], 'and for the next reader');
  });

  it('ends stdout where the connection breaks while it is read', async (t) => {
    const { socket, attachment } = await attached(t);
    const reading = take(attachment.stdout(never), 9);
    socket.say('one');
    socket.emit('error', new Error('reset'));
    socket.emit('close');
    assert.deepEqual(await reading, ['one']);
  });

  it('stops a reader that is aborted, with its reason', async (t) => {
    const { attachment } = await attached(t);
    const stop = new AbortController();
    const reading = take(attachment.stdout(stop.signal), 1);
    stop.abort(new Error('enough'));
    await assert.rejects(reading, /enough/);
    await assert.rejects(take(attachment.stdout(AbortSignal.abort(new Error('gone'))), 1), /gone/);
  });

  it('is not ended for the next reader by the signal of one that had what it wanted', async (t) => {
    const { socket, attachment } = await attached(t);
    const first = new AbortController();
    socket.say('one');
    await take(attachment.stdout(first.signal), 1);
    first.abort(new Error('too late'));
    socket.say('two');
    assert.deepEqual(await take(attachment.stdout(never), 1), ['two']);
  });

  it('sends in messages that every API server takes', async (t) => {
    const { socket, attachment } = await attached(t);
    const bytes = Buffer.alloc(40_000, 'abc');
    await attachment.send(bytes, never);
    assert.deepEqual(
      socket.sent.map((message) => [message[0], message.length - 1]),
      [
        [0, 16_384],
        [0, 16_384],
        [0, 7232],
      ],
    );
    assert.deepEqual(Buffer.concat(socket.sent.map((message) => message.subarray(1))), bytes);
  });

  it('sends one thing after the other, each whole', async (t) => {
    const { socket, attachment } = await attached(t);
    const [long, short] = [Buffer.alloc(40_000, 'a'), Buffer.from('stop')];
    await Promise.all([attachment.send(long, never), attachment.send(short, never)]);
    const sent = Buffer.concat(socket.sent.map((message) => message.subarray(1)));
    assert.deepEqual(sent, Buffer.concat([long, short]));
  });

  it('does not wait for what is sent before it, once it is aborted', async (t) => {
    const { socket, attachment } = await attached(t);
    const stop = new AbortController();
    socket.send = (message) => {
      socket.sent.push(message);
    };
    void attachment.send(Buffer.from('first'), never);
    const second = attachment.send(Buffer.from('second'), stop.signal);
    await nextTurn();
    stop.abort();
    await second;
    assert.equal(socket.sent.length, 1);
  });

  it('sends no more once it is aborted, and waits for nothing', async (t) => {
    const { socket, attachment } = await attached(t);
    const stop = new AbortController();
    socket.send = (message) => {
      socket.sent.push(message);
    };
    const sending = attachment.send(Buffer.alloc(40_000), stop.signal);
    await nextTurn();
    stop.abort();
    await sending;
    await attachment.send(Buffer.from('hello'), stop.signal);
    assert.equal(socket.sent.length, 1);
  });

  it('does not mind a send that fails: stdout ends, and says it', async (t) => {
    const { socket, attachment } = await attached(t);
    socket.isBroken = true;
    await attachment.send(Buffer.from('hello'), never);
  });

  it('closes at once', async (t) => {
    const { socket, attachment } = await attached(t);
    attachment.close();
    assert.deepEqual([socket.terminated, attachment.ended.aborted], [1, true]);
    assert.deepEqual(await take(attachment.stdout(never), 1), []);
  });

  it('ends a connection that leaves a ping without an answer, and no other', async (t) => {
    const timers = mockTimers(t, ['setInterval']);
    const { socket, attachment } = await attached(t);
    for (let answered = 1; answered <= 5; answered += 1) {
      timers.tick(20_000);
      assert.equal(socket.pings, answered);
      socket.emit('pong');
    }
    timers.tick(20_000);
    assert.equal(attachment.ended.aborted, false);
    timers.tick(20_000);
    assert.equal(attachment.ended.aborted, true);
    assert.match(String(attachment.ended.reason), /The connection to the sandbox ended\./);
    const { pings } = socket;
    timers.tick(100_000);
    assert.equal(socket.pings, pings, 'and leaves no timer');
  });

  it('does not end a connection that waits for its reader, nor one from which something comes', async (t) => {
    const timers = mockTimers(t, ['setInterval']);
    const { socket, attachment } = await attached(t);
    for (let piece = 0; piece < 65; piece += 1) socket.say('data');
    assert.ok(socket.isPaused);
    timers.tick(100_000);
    await take(attachment.stdout(never), 65);
    assert.ok(!socket.isPaused);
    timers.tick(20_000);
    for (let beat = 0; beat < 5; beat += 1) {
      socket.say('data');
      timers.tick(20_000);
    }
    assert.equal(attachment.ended.aborted, false);
    timers.tick(20_000);
    assert.equal(attachment.ended.aborted, true);
  });
});
