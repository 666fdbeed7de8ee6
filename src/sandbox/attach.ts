import { on } from 'node:events';
import type { Client } from './client.ts';
import { containerName } from './names.ts';

const protocol = 'v5.channel.k8s.io';
const stdinChannel = 0;
const stdoutChannel = 1;

/** Larger messages are refused on the way by some API servers. */
const messageBytes = 16_384;

/** A container's stdin and stdout over the API server. */
export interface Attachment {
  /** Sends bytes to stdin; resolves once they are on their way. */
  send(bytes: Uint8Array): Promise<void>;
  /** stdout from here on. Ends when the container or the connection does: which of them, this cannot tell. */
  stdout(signal: AbortSignal): AsyncGenerator<Buffer, void>;
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

  return {
    async send(bytes) {
      for (let begin = 0; begin < bytes.length; begin += messageBytes) {
        const message = Buffer.concat([Buffer.of(stdinChannel), bytes.subarray(begin, begin + messageBytes)]);
        await new Promise<void>((resolve) => {
          // A failed send closes the socket: stdout ends, and the log says what became of the run.
          socket.send(message, () => {
            resolve();
          });
        });
      }
    },
    async *stdout(runSignal) {
      const abort = () => {
        closing.abort(runSignal.reason);
      };
      runSignal.addEventListener('abort', abort, { once: true });
      try {
        runSignal.throwIfAborted();
        for await (const [message] of messages) {
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
