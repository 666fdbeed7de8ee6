import { on } from 'node:events';
import type { WebSocket } from 'ws';
import { unlessAborted } from '../unless-aborted.ts';
import type { Client } from './client.ts';
import { containerName } from './names.ts';

const protocol = 'v5.channel.k8s.io';
const stdinChannel = 0;
const stdoutChannel = 1;

/** Larger messages are refused on the way by some API servers. */
const messageBytes = 16_384;

/** A connection that leaves a ping without an answer for this long is dead, though nobody said so. */
const pingMs = 20_000;

/** A container's stdin and stdout over the API server. */
export interface Attachment {
  /**
   * Sends bytes to stdin, after all that was given before; resolves once they are on their way. The signal stops it, amid
   * them.
   */
  send(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /**
   * stdout from where the last reader left it. Ends when the container or the connection does: which of them, this
   * cannot tell.
   */
  stdout(signal: AbortSignal): AsyncGenerator<Buffer, void>;
  /** Aborts when the connection ends. */
  ended: AbortSignal;
  close(): void;
}

export async function attach(client: Client, podPath: string, signal: AbortSignal): Promise<Attachment> {
  const query: [string, string][] = [
    ['container', containerName],
    ['stdin', 'true'],
    ['stdout', 'true'],
  ];
  const socket = await client.socket(`${podPath}/attach`, query, protocol, signal);
  socket.on('error', () => undefined); // 'close' follows, and ends stdout
  // Listens from now on: what comes before stdout() is asked for is kept.
  const closing = new AbortController();
  const messages = on(socket, 'message', {
    close: ['close'],
    signal: closing.signal,
    highWaterMark: 64,
    lowWaterMark: 16,
  }) as AsyncIterableIterator<[Buffer]>;

  const ended = new AbortController();
  const heartbeat = keepAlive(socket);
  socket.on('close', () => {
    clearInterval(heartbeat);
    ended.abort(new Error('The connection to the sandbox ended.'));
  });

  // A line comes whole, though another is asked for amid it.
  let before = Promise.resolve();

  return {
    ended: ended.signal,
    async send(bytes, sendSignal) {
      const sending = before.then(() => sendAll(socket, bytes, sendSignal));
      before = sending;
      await unlessAborted(sending, sendSignal).catch(() => undefined);
    },
    async *stdout(runSignal) {
      const abort = () => {
        closing.abort(runSignal.reason);
      };
      runSignal.addEventListener('abort', abort, { once: true });
      try {
        runSignal.throwIfAborted();
        // Not by `for await`, which would end the messages for the next reader.
        for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
          const [message] = next.value;
          if (message[0] === stdoutChannel && message.length > 1) yield message.subarray(1);
        }
      } catch {
        // A connection that breaks ends stdout, however it breaks.
        runSignal.throwIfAborted();
      } finally {
        runSignal.removeEventListener('abort', abort);
      }
    },
    close() {
      closing.abort();
      socket.terminate();
    },
  };
}

async function sendAll(socket: WebSocket, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  for (let begin = 0; begin < bytes.length && !signal.aborted; begin += messageBytes) {
    const message = Buffer.concat([Buffer.of(stdinChannel), bytes.subarray(begin, begin + messageBytes)]);
    await sendMessage(socket, message, signal);
  }
}

/** A send that fails is no error: it closes the socket, stdout ends, and the log says what became of the run. */
function sendMessage(socket: WebSocket, message: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done, { once: true });
    socket.send(message, done);
  });
}

/** Keeps a silent connection from being forgotten on its way, and ends it where it was. */
function keepAlive(socket: WebSocket): NodeJS.Timeout {
  let isAlive = true;
  for (const event of ['pong', 'message']) socket.on(event, () => (isAlive = true));
  return setInterval(() => {
    // While it waits for a slow reader nothing is read from it, and so no answer either.
    isAlive ||= socket.isPaused;
    if (!isAlive) socket.terminate();
    isAlive = socket.isPaused;
    socket.ping();
  }, pingMs);
}
