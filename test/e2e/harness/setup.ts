/**
 * Runs once around all files (node --test-global-setup): installs the chart, without servers, as the tests start their
 * own, with its account and in its sandbox namespace.
 */
import { announce, forget, install, release, remove, removeLeftovers } from './release.ts';

const name = 'vivarium-e2e';

export async function globalSetup(): Promise<void> {
  await removeLeftovers();
  announce(await install(name, { replicas: 0, 'config.concurrency': 50 }));
}

export async function globalTeardown(): Promise<void> {
  await forget(release());
  await remove(name);
}
