import semver from 'semver';
import { ServiceError } from '../result/errors.ts';
import type { PistonRuntime } from './piston.ts';

/** The newest of those that a language (or its alias) and a selector of versions name. */
export function findRuntime(
  runtimes: readonly PistonRuntime[],
  language: string,
  selector = '*',
): PistonRuntime | undefined {
  const [newest] = runtimes
    .filter((each) => each.language === language || each.aliases.includes(language))
    .filter(({ version }) => semver.valid(version) !== null && semver.satisfies(version, selector))
    .sort((one, other) => semver.rcompare(one.version, other.version));
  return newest;
}

/** Whether it is Piston that failed: what does not need it goes on. */
export function isPistonFault(error: unknown): error is ServiceError {
  return error instanceof ServiceError && ['piston_unavailable', 'piston_failed'].includes(error.code);
}
