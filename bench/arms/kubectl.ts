import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { output } from '../../test/e2e/harness/command.ts';
import { stopwatch, type Arm } from './arm.ts';

const state = '.status.containerStatuses[0].state.terminated';

/** A Job by kubectl: create, wait for its container, follow the log, wait for the end. */
export function kubectlArm(namespace: string, image: string): Arm {
  const kubectl = (...args: string[]) => output('kubectl', ['-n', namespace, ...args]);
  let count = 0;
  return {
    name: 'kubectl',
    async run({ code, exitCode: expected }, signal) {
      const job = `plain-${(count += 1)}`;
      const wait = (what: string, ...more: string[]) =>
        kubectl('wait', 'pod', '-l', `job-name=${job}`, `--for=${what}`, '--timeout=50s', ...more);
      try {
        const sentAt = Date.now();
        const clock = stopwatch();
        await kubectl('create', 'job', job, `--image=${image}`, '--', 'python3', '-c', code);
        await wait('create');
        // Ready would not do: a container that ends soon never is.
        await wait('jsonpath={.status.containerStatuses[0].containerID}');
        const log = await followLog(namespace, job, clock, signal);
        const exitCode = Number(await wait(`jsonpath={${state}}`, '-o', `jsonpath={${state}.exitCode}`));
        const seconds = clock();
        const marks = { firstLine: log.first, stampedLine: (await firstStamp(kubectl, job)) - sentAt / 1000 };
        // A Job whose pod failed starts another one: it has no end worth waiting for.
        if (expected !== 0) return { exitCode, stdout: log.text, stderr: undefined, seconds, marks };
        await kubectl('wait', `job/${job}`, '--for=condition=complete', '--timeout=50s');
        return {
          exitCode,
          stdout: log.text,
          stderr: undefined,
          seconds,
          marks: { ...marks, jobEnded: clock() },
        };
      } finally {
        await kubectl('delete', 'job', job, '--cascade=foreground', '--ignore-not-found', '--timeout=50s');
      }
    },
  };
}

/** `kubectl logs -f`: all of it, and when its first bytes came. */
async function followLog(namespace: string, job: string, clock: () => number, signal: AbortSignal) {
  const child = spawn('kubectl', ['-n', namespace, 'logs', '-f', `job/${job}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  const chunks: Buffer[] = [];
  let first = NaN;
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunks.length === 0) first = clock();
    chunks.push(chunk);
  });
  await once(child, 'close');
  return { text: Buffer.concat(chunks).toString('utf8'), first };
}

/** When the node saw the first line, in seconds of the epoch. */
async function firstStamp(kubectl: (...args: string[]) => Promise<string>, job: string): Promise<number> {
  const log = await kubectl('logs', `job/${job}`, '--timestamps', '--limit-bytes=100');
  return Date.parse(log.split(' ', 1)[0] ?? '') / 1000;
}
