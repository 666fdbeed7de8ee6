import { setImmediate as nextTurn } from 'node:timers/promises';

/** Waits, turn by turn, until something holds; no timer is involved, so timers may be mocked. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`It never held: ${holds.toString()}`);
    await nextTurn();
  }
}
