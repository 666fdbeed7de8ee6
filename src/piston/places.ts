import { unlessAborted } from '../unless-aborted.ts';

export interface Places {
  /** Waits for a place; the answer gives it back. Throws ServiceError, and the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>;
}

/**
 * Has a Piston do something in a place, which is free again when that is done, and not when its caller leaves: a Piston
 * goes on. Throws what entering and the work throw, and the signal's reason.
 */
export async function inPlace<T>(places: Places, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const leave = await places.enter(signal);
  return await unlessAborted(work().finally(leave), signal);
}
