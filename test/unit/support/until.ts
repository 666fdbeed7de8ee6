import { setImmediate as nextTurn } from 'node:timers/promises';

/** Waits, turn by turn, until something holds; neither timers nor performance.now() are involved: they may be mocked. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = process.uptime() + 5;
  while (!holds()) {
    if (process.uptime() > deadline) throw new Error(`It never held: ${holds.toString()}`);
    await nextTurn();
  }
}
