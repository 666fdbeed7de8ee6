import { describeError, ServiceError } from '../../../result/errors.ts';

/** A call that PRIMCS refuses, in the words that it has for that. */
export class Fault extends Error {
  override name = 'Fault';
}

/** Codes of what PRIMCS knows as a failure of pip. */
const ofPackages = ['build_failed', 'build_timeout', 'index_unavailable', 'environments_unavailable'];

/** What a client is told of an error. */
export function wordsOf(error: unknown): string {
  if (error instanceof Fault) return error.message;
  const { message, hint } = describeError(error).body.error;
  const isOfPackages = error instanceof ServiceError && ofPackages.includes(error.code);
  return isOfPackages ? pipFailed(`${message} ${hint}`) : `${message} ${hint}`;
}

export function pipFailed(why: string): string {
  return `pip install failed: ${why}`;
}

/** Goes after the error of a run. */
export const errorFeedback =
  '\nFEEDBACK: Send one whole script that prints what is to come back, not the cell of a notebook.';
