import { on, EventEmitter } from 'node:events';
import { SandboxLost } from '../../../src/schedule/backend.ts';
import type { Wire } from '../../../src/sandbox/talk.ts';
import type { Unnumbered } from './frames.ts';
import { lines } from './frames.ts';

/** A wire whose agent a test plays. */
export function fakeWire() {
  const stdout = new EventEmitter();
  const gone = new AbortController();
  const sent: Record<string, unknown>[] = [];
  let seq = 0;
  let heard: (line: Record<string, unknown>) => void = () => undefined;
  const chunks = on(stdout, 'data', { close: ['end'] }) as AsyncIterableIterator<[Buffer]>;
  const read = async function* (signal: AbortSignal): AsyncGenerator<Buffer, void> {
    for (;;) {
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
      const next = await Promise.race([chunks.next(), aborted]);
      if (next.done) return;
      yield next.value[0];
    }
  };
  const end = () => {
    gone.abort();
    stdout.emit('end');
  };
  const wire: Wire = {
    gone: gone.signal,
    end,
    send(bytes) {
      const line = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
      sent.push(line);
      heard(line);
      return Promise.resolve();
    },
    stdout: read,
    sources(signal) {
      const only = [{ bytes: read(signal), fromStart: false }];
      return () => Promise.resolve(only.shift());
    },
    whyEnded: () => Promise.resolve(new SandboxLost('unknown', 'It ended.')),
  };
  return {
    wire,
    /** The lines of stdin. */
    sent,
    /** What the agent does with each. */
    onLine(act: typeof heard) {
      heard = act;
    },
    say(...frames: Unnumbered[]) {
      for (const frame of frames) stdout.emit('data', lines([{ seq: seq++, ...frame }]));
    },
    end,
  };
}
