import type { ExecutionResult } from '../../result/execution-result.ts';

/** Files that are named; the others are counted. */
const mostNamed = 10;

/**
 * What must be said to clients whose answers have no place for it: lines for the end of stderr. Empty where the program ended
 * by itself, or by its time, which each answer tells in its own way, and all that it wrote is there.
 */
export function notesOf(
  result: Pick<
    ExecutionResult,
    'status' | 'signal' | 'message' | 'truncated' | 'stdout_bytes' | 'stderr_bytes'
  >,
  lost: readonly string[],
): string[] {
  const { status, signal } = result;
  const isOwnEnd = status === 'succeeded' || (status === 'failed' && signal === null);
  return [
    ...(isOwnEnd || status === 'timed_out' ? [] : [reasonOf(result)]),
    ...cutNotes(result),
    ...(lost.length === 0 ? [] : [`Files that are not kept: ${some(lost)}.`]),
  ];
}

/** Where the usual sentence names a field that these clients do not have. */
const reasons: Partial<Record<ExecutionResult['status'], string>> = {
  out_of_memory: 'The code used more memory than it may: use less at one time.',
};

/** How a program ended, in a sentence. */
export function reasonOf({ status, message }: Pick<ExecutionResult, 'status' | 'message'>): string {
  return reasons[status] ?? message;
}

/** That not all of the output is there. */
function cutNotes({
  truncated,
  stdout_bytes,
  stderr_bytes,
}: Pick<ExecutionResult, 'truncated' | 'stdout_bytes' | 'stderr_bytes'>): string[] {
  if (!truncated) return [];
  return [`Of ${stdout_bytes} bytes on stdout and ${stderr_bytes} on stderr only the beginning is kept.`];
}

/** Some of many files by name. `total` counts also those that have none. */
export function some(files: readonly string[], total = files.length): string {
  const named = files.slice(0, mostNamed);
  const more = total - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

/** A text with lines after it. */
export function withLines(text: string, lines: readonly string[]): string {
  if (lines.length === 0) return text;
  const ends = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${ends}${lines.join('\n')}\n`;
}
