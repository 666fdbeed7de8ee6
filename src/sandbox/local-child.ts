import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { ServiceError } from '../result/errors.ts';
import { SandboxLost } from '../schedule/backend.ts';
import { nobody } from './bubblewrap.ts';
import type { Wire } from './talk.ts';

/** A sandbox as a process. */
export interface Child {
  wire: Wire;
  /** Resolves once it is gone. */
  kill(): Promise<void>;
}

/** Starts bubblewrap. Throws ServiceError where that cannot be. */
export async function startChild(args: string[], isRoot: boolean): Promise<Child> {
  const child = spawn('/usr/bin/bwrap', args, { ...(isRoot && { uid: nobody, gid: nobody }) });
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) =>
    child.once('close', () => {
      gone.abort(new Error('The sandbox ended.'));
      resolve();
    }),
  );
  await once(child, 'spawn').catch((error: unknown) => {
    throw new ServiceError('sandbox_failed', `bubblewrap cannot be started: ${String(error)}`, {
      cause: error,
    });
  });
  child.stdin.on('error', () => undefined); // the sandbox ended before it read all: stdout says so
  const words = lastWords(child);
  const end = () => {
    child.kill('SIGKILL');
    child.stdout.resume(); // it is closed only once it was read to its end
  };
  return {
    wire: {
      gone: gone.signal,
      send: (bytes, signal) => write(child, bytes, signal),
      stdout: (signal) => stdout(child, signal),
      sources(signal) {
        const only = [{ bytes: stdout(child, signal), fromStart: true }];
        return () => Promise.resolve(only.shift());
      },
      whyEnded: () =>
        Promise.resolve(
          new SandboxLost('unknown', `The sandbox ended and did not say why. ${words()}`.trim()),
        ),
      end,
    },
    async kill() {
      end();
      await closed;
    },
  };
}

/** Resolves once the pipe takes more, or the signal is aborted. A sandbox that has ended takes everything: its stdout says so. */
export async function write(
  { stdin }: Pick<ChildProcessWithoutNullStreams, 'stdin'>,
  bytes: Uint8Array,
  runSignal: AbortSignal,
): Promise<void> {
  if (runSignal.aborted || stdin.destroyed || stdin.write(bytes)) return;
  const written = new AbortController();
  const signal = AbortSignal.any([runSignal, written.signal]);
  try {
    await Promise.race(['drain', 'close'].map((event) => once(stdin, event, { signal })));
  } catch {
    // Aborted, or a pipe that broke.
  } finally {
    // Or what did not come would be listened for until the pipe is closed.
    written.abort();
  }
}

/** What the agent writes from here on; the signal ends it. Leaves the stream open for the next reader. */
async function* stdout(child: ChildProcessWithoutNullStreams, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      signal.throwIfAborted();
      yield chunk as Buffer;
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The end of what bubblewrap or the agent said on stderr. */
function lastWords(child: ChildProcessWithoutNullStreams): () => string {
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-500)));
  return () => text.trim();
}
