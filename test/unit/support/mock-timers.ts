import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

/** Mocks timers, also those that modules have imported by name. */
export function mockTimers(
  t: TestContext,
  apis: ('setTimeout' | 'setInterval' | 'Date')[] = ['setTimeout'],
): TestContext['mock']['timers'] {
  t.mock.timers.enable({ apis });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
  return t.mock.timers;
}
