/** Runs every check and test, one runner after another, and adds up what they say. `--fast`: without a cluster. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { counted, type Counts } from './counts.ts';

interface Step {
  name: string;
  command: string[];
}

const fast: Step[] = [
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'unit', command: ['npm', 'run', '--silent', 'unit'] },
];

const slow: Step[] = [
  { name: 'scripts', command: ['test/lint-scripts'] },
  { name: 'generated', command: ['test/generated'] },
  { name: 'agent', command: ['agent/check'] },
  { name: 'builder', command: ['builder/check'] },
  { name: 'integration', command: ['npm', 'run', '--silent', 'integration'] },
  { name: 'chart', command: ['test/chart/run'] },
];

/** What needs a cluster; `after` happens whatever comes before it. */
const cluster = { before: ['test/cluster/up', 'images/build'], after: 'test/cluster/down' };
const onCluster: Step[] = [{ name: 'e2e', command: ['npm', 'run', '--silent', 'e2e'] }];

const totals: Counts = { passed: 0, failed: 0 };

/** After an interruption nothing more is started but what cleans up. */
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupt.abort();
  });
}

async function run(command: string[]): Promise<{ code: number; lines: string[] }> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const stop = () => child.kill('SIGTERM');
  if (!interrupt.signal.aborted) interrupt.signal.addEventListener('abort', stop, { once: true });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      console.log(line);
      lines.push(line);
    });
  }
  const [code] = await closed;
  interrupt.signal.removeEventListener('abort', stop);
  return { code: code ?? 1, lines };
}

async function perform({ name, command }: Step): Promise<void> {
  if (interrupt.signal.aborted) return;
  const began = performance.now();
  console.log(`\n==> ${name}: ${command.join(' ')}`);
  const { code, lines } = await run(command);
  const { passed, failed } = counted(lines, code);
  totals.passed += passed;
  totals.failed += failed;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`==> ${name}: ${passed} passed, ${failed} failed, ${seconds} s`);
}

async function performOnCluster(): Promise<void> {
  const wasUp = (await run(['test/cluster/is-up'])).code === 0;
  try {
    for (const command of cluster.before) {
      if (interrupt.signal.aborted) return;
      const { code, lines } = await run([command]);
      if (code !== 0) throw new Error(`${command} failed`);
      const kubeconfig = lines.map((line) => /^export KUBECONFIG=(.+)$/.exec(line)?.[1]).find(Boolean);
      if (kubeconfig) process.env.KUBECONFIG = kubeconfig;
    }
    for (const step of onCluster) await perform(step);
  } catch (error) {
    totals.failed += 1;
    console.log(`==> cluster: ${String(error)}`);
  } finally {
    // A cluster that was there before is somebody's.
    if (!wasUp) await run([cluster.after]);
  }
}

for (const step of fast) await perform(step);
if (!process.argv.includes('--fast')) {
  for (const step of slow) await perform(step);
  await performOnCluster();
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || interrupt.signal.aborted ? 1 : 0;
