import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds. */
export async function until(holds: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`It did not hold within ${seconds} s: ${holds.toString()}`);
    await sleep(5);
  }
}
