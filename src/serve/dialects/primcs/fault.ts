import { describeError, type ErrorCode, ServiceError } from '../../../result/errors.ts';

/** A call that PRIMCS refuses, in the words that it has for that. */
export class Fault extends Error {
  override name = 'Fault';
}

/** Codes of what PRIMCS knows as a failure of pip. */
const ofPackages = ['build_failed', 'build_timeout', 'index_unavailable', 'environments_unavailable'];

/** What to do, where the usual sentence names tools that PRIMCS does not have. */
const hints: Partial<Record<ErrorCode, string>> = {
  environments_unavailable: 'Use the packages that are installed, or have the operator set environments up.',
  session_ended: 'Call run_code again: the files are gone, and a new workspace is made.',
  too_many_sessions: 'Close a client that is not needed, or wait until one has been idle for its time.',
  file_not_found: 'List the folder (list_dir).',
};

/** What a client is told of an error. */
export function wordsOf(error: unknown): string {
  if (error instanceof Fault) return error.message;
  const { code, message, hint } = describeError(error).body.error;
  const words = `${message} ${hints[code] ?? hint}`;
  const isOfPackages = error instanceof ServiceError && ofPackages.includes(error.code);
  return isOfPackages ? pipFailed(words) : words;
}

export function pipFailed(why: string): string {
  return `pip install failed: ${why}`;
}

/** Goes after the error of a run. */
export const errorFeedback =
  '\nFEEDBACK: Send one whole script that prints what is to come back, not the cell of a notebook.';
