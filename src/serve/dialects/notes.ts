import { constants } from 'node:os';
import type { ExecutionResult } from '../../result/execution-result.ts';

/**
 * What must be said to clients whose answers have no place for it: lines for the end of stderr. Empty where all that the
 * program wrote is there.
 */
export function notesOf(
  result: Pick<ExecutionResult, 'status' | 'message' | 'truncated' | 'stdout_bytes' | 'stderr_bytes'>,
  lost: readonly string[],
): string[] {
  const { status, message, truncated, stdout_bytes, stderr_bytes } = result;
  const isOfCode = ['succeeded', 'failed', 'timed_out'].includes(status);
  return [
    ...(isOfCode ? [] : [message]),
    ...(truncated
      ? [`Of ${stdout_bytes} bytes on stdout and ${stderr_bytes} on stderr only the beginning is kept.`]
      : []),
    ...(lost.length === 0 ? [] : [`Files that are not kept: ${lost.join(', ')}.`]),
  ];
}

/** A text with lines after it. */
export function withLines(text: string, lines: readonly string[]): string {
  if (lines.length === 0) return text;
  const ends = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${ends}${lines.join('\n')}\n`;
}

/** The number of a signal, such as 11 of "SIGSEGV". */
export function signalNumber(name: string): number {
  return (constants.signals as Record<string, number>)[name] ?? 0;
}
