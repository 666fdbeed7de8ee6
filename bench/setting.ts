import { cpus, loadavg, release as kernel, totalmem } from 'node:os';
import { output } from '../test/e2e/harness/command.ts';
import type { Setting } from './samples.ts';

/** What this is measured on. */
export async function describeMachine(): Promise<Pick<Setting, 'date' | 'commit' | 'machine'>> {
  const head = (await output('git', ['rev-parse', '--short', 'HEAD'])).trim();
  const changes = await output('git', ['status', '--porcelain', '--', 'src', 'agent', 'images', 'helm']);
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: changes === '' ? head : `${head} with changes`,
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      processors: cpus().length,
      memoryGB: Math.round(totalmem() / 2 ** 30),
      kernel: kernel(),
      load: loadavg()[0] ?? 0,
    },
  };
}
