import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** The command is killed, and its promise rejected, after this time. */
  seconds?: number;
}

/** Runs a command to its end, whatever that is. */
export async function command(
  program: string,
  args: string[],
  { env = process.env, input = '', seconds = 60 }: CommandOptions = {},
): Promise<Ended> {
  const child = spawn(program, args, { cwd: root, env, timeout: seconds * 1000, killSignal: 'SIGKILL' });
  child.stdin.on('error', () => undefined); // it ended before it read all
  child.stdin.end(input);
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ]);
  if (signal === 'SIGKILL')
    throw new Error(`${program} ${args.join(' ')} took more than ${seconds} s\n${stderr}`);
  return { code, signal, stdout, stderr };
}

/** The output of a command that must succeed. */
export async function output(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await command(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${String(code)}:\n${stderr}`);
  return stdout;
}

export const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Ends a process: asks it, then, after `seconds`, makes it. */
export async function end(child: ChildProcess, seconds: number): Promise<void> {
  if (hasEnded(child)) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  await closed;
  clearTimeout(late);
}
