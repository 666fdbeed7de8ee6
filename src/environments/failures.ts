import type { ServiceError } from '../result/errors.ts';

/** How long requirements that cannot be had are not tried again. */
export const rememberedSeconds = 60;
const most = 256;

/** Builds that failed a moment ago, so that a request that comes again and again is not built again and again. */
export interface Failures {
  of(key: string): ServiceError | undefined;
  add(key: string, error: ServiceError): void;
}

export function createFailures(): Failures {
  const failed = new Map<string, { error: ServiceError; until: number }>();
  return {
    of(key) {
      const found = failed.get(key);
      return found && found.until > performance.now() ? found.error : undefined;
    },
    add(key, error) {
      failed.delete(key);
      failed.set(key, { error, until: performance.now() + rememberedSeconds * 1000 });
      const [oldest] = failed.keys();
      if (failed.size > most && oldest !== undefined) failed.delete(oldest);
    },
  };
}
