import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { join } from 'node:path';
import { end } from '../../test/e2e/harness/command.ts';
import { stopwatch, type Arm } from './arm.ts';

interface Header {
  exit_code: number;
  stdout: number;
  stderr: number;
}

/** The floor: a fork of an interpreter on this machine that has the libraries imported. Whoever opens it closes it. */
export async function openForkArm(python: string): Promise<Arm & { close(): Promise<void> }> {
  const child = spawn(python, [join(import.meta.dirname, 'fork.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined); // it has ended: what is awaited from its stdout says so
  const answers = reader(child.stdout);
  const close = () => end(child, 5);
  try {
    await answers.line();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name: 'fork',
    async run({ code }, signal) {
      const kill = () => child.kill('SIGKILL');
      signal.addEventListener('abort', kill, { once: true });
      try {
        const clock = stopwatch();
        child.stdin.write(`${JSON.stringify(code)}\n`);
        const header = JSON.parse(await answers.line()) as Header;
        const stdout = await answers.text(header.stdout);
        const stderr = await answers.text(header.stderr);
        return { exitCode: header.exit_code, stdout, stderr, seconds: clock(), marks: {} };
      } finally {
        signal.removeEventListener('abort', kill);
      }
    },
    close,
  };
}

/** Lines, and texts of a known length, from one stream. */
function reader(stream: Readable) {
  const chunks = stream.iterator() as AsyncIterator<Buffer, undefined>;
  let held = Buffer.alloc(0);
  async function more(): Promise<void> {
    const { done, value } = await chunks.next();
    if (done) throw new Error('The interpreter that forks has ended.');
    held = Buffer.concat([held, value]);
  }
  async function text(length: number): Promise<string> {
    while (held.length < length) await more();
    const taken = held.subarray(0, length).toString('utf8');
    held = held.subarray(length);
    return taken;
  }
  return {
    text,
    async line(): Promise<string> {
      while (!held.includes('\n')) await more();
      return text(held.indexOf('\n') + 1);
    },
  };
}
