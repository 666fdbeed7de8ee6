import { ServiceError } from '../result/errors.ts';

/** Who asks, by the header in which the proxy in front names callers; empty where callers are not told apart. */
export type CallerOf = (headers: { get(name: string): string | null | undefined }) => string;

/** Throws ServiceError where the header is set up and missing: without it, everybody would be anybody. */
export function callerBy(header: string): CallerOf {
  return (headers) => {
    if (header === '') return '';
    const caller = headers.get(header);
    if (!caller) {
      throw new ServiceError(
        'unauthenticated',
        `The request has no header ${header}, which names its caller.`,
      );
    }
    return caller;
  };
}
