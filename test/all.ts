/** Runs every check and test, one runner after another, and adds up what they say. `--fast`: without a cluster. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
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

/** Two at one time: what installs or builds the same things is in one row. */
const rows: Step[][] = [
  [...fast, { name: 'integration', command: ['npm', 'run', '--silent', 'integration'] }],
  [
    { name: 'scripts', command: ['test/lint-scripts'] },
    { name: 'generated', command: ['test/generated'] },
    { name: 'agent', command: ['agent/check'] },
    { name: 'builder', command: ['builder/check'] },
    { name: 'chart', command: ['test/chart/run'] },
  ],
];

/** What needs a cluster; `after` happens whatever comes before it. */
const cluster = {
  before: ['test/cluster/up', 'images/build'],
  after: 'test/cluster/down',
  kubeconfig: undefined as string | undefined,
};
const onCluster: Step[] = [{ name: 'e2e', command: ['npm', 'run', '--silent', 'e2e'] }];

const totals: Counts = { passed: 0, failed: 0 };

/** After an interruption nothing more is started but what cleans up. */
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupt.abort();
  });
}

/** What programs of Node compile is kept from one to the next: the tests start hundreds. */
process.env.NODE_COMPILE_CACHE ??= join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'vivarium/compiled',
);

/** Runs a command to its end. With `print` its lines are shown as they come. */
async function run(command: string[], print: boolean): Promise<{ code: number; lines: string[] }> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const stop = () => child.kill('SIGTERM');
  if (!interrupt.signal.aborted) interrupt.signal.addEventListener('abort', stop, { once: true });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (print) console.log(line);
      lines.push(line);
    });
  }
  const [code] = await closed;
  interrupt.signal.removeEventListener('abort', stop);
  return { code: code ?? 1, lines };
}

/** With `print` its lines are shown as they come; else in one piece when it has ended, as others go on beside it. */
async function perform({ name, command }: Step, print: boolean): Promise<void> {
  if (interrupt.signal.aborted) return;
  const began = performance.now();
  const title = `\n==> ${name}: ${command.join(' ')}`;
  if (print) console.log(title);
  const { code, lines } = await run(command, print);
  if (!print) console.log([title, ...lines].join('\n'));
  const { passed, failed } = counted(lines, code);
  totals.passed += passed;
  totals.failed += failed;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`==> ${name}: ${passed} passed, ${failed} failed, ${seconds} s`);
}

async function performInTurn(steps: Step[], print: boolean): Promise<void> {
  for (const step of steps) await perform(step, print);
}

/** Whether the cluster is up, with the images in it. */
async function prepareCluster(): Promise<boolean> {
  for (const command of cluster.before) {
    if (interrupt.signal.aborted) return false;
    const { code, lines } = await run([command], true);
    if (code !== 0) {
      totals.failed += 1;
      console.log(`==> ${command} failed`);
      return false;
    }
    cluster.kubeconfig ??= lines.map((line) => /^export KUBECONFIG=(.+)$/.exec(line)?.[1]).find(Boolean);
  }
  return true;
}

async function performAll(): Promise<void> {
  const wasUp = (await run(['test/cluster/is-up'], true)).code === 0;
  try {
    const [first, second] = rows.map((row) => performInTurn(row, false));
    // The second row is the shorter one.
    const [, isReady] = await Promise.all([first, second?.then(prepareCluster)]);
    if (!isReady) return;
    if (cluster.kubeconfig !== undefined) process.env.KUBECONFIG = cluster.kubeconfig;
    await performInTurn(onCluster, true);
  } finally {
    // A cluster that was there before is somebody's.
    if (!wasUp) await run([cluster.after], true);
  }
}

if (process.argv.includes('--fast')) await performInTurn(fast, true);
else await performAll();
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || interrupt.signal.aborted ? 1 : 0;
