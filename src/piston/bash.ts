import { constants } from 'node:os';
import type { PistonStage } from './piston.ts';

/** What bash says of a program that a signal ended, by the signal's name. */
const lastWords = {
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGILL: 'Illegal instruction',
  SIGKILL: 'Killed',
  SIGSEGV: 'Segmentation fault',
  SIGSYS: 'Bad system call',
  SIGTERM: 'Terminated',
  SIGXFSZ: 'File size limit exceeded',
} as const;

/**
 * The signal that ended a program; null where none did. Piston runs it by bash, which exits with 128 and the signal's
 * number, and says so. A program may exit with such a number, too.
 */
export function signalOf({ signal, code, stderr }: PistonStage): string | null {
  if (signal !== null) return signal;
  const [found] = Object.entries(lastWords).filter(
    ([name, words]) =>
      code === 128 + constants.signals[name as keyof typeof lastWords] && saysBash(stderr, words),
  );
  return found?.[0] ?? null;
}

/** The kernel killed it, and not it itself: then it had all the bytes that it may have, or a few pages less. */
export function ranOutOfMemory(stage: PistonStage, mostBytes: number): boolean {
  const { memory, status, signal, code } = stage;
  const isKilled =
    (status === 'SG' && signal === 'SIGKILL') || (code === 137 && saysBash(stage.stderr, lastWords.SIGKILL));
  return isKilled && (memory === null || memory >= mostBytes * 0.99);
}

function saysBash(stderr: string, words: string): boolean {
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  return line === words || new RegExp(`: line \\d+: +\\d+ ${words}`).test(line);
}
