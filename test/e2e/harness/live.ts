import type { ExecutionResult } from '../../../src/result/execution-result.ts';
import type { Caller } from './clients.ts';
import { gone, ofExecution } from './cluster.ts';
import { marked, newMark, processesOf } from './marks.ts';
import type { BackendName } from './server.ts';
import { until } from './until.ts';

/** A run that goes on until somebody ends it. */
export interface Live {
  id: string;
  mark: string;
  cancel: AbortController;
  /** How the call ended: its result, or what it threw. */
  outcome: Promise<ExecutionResult | Error>;
}

const code = `import time
print('before', end='')
time.sleep(150)`;

/** Starts a program that stays, and returns once its output was seen. */
export async function startLive(caller: Caller): Promise<Live> {
  const mark = newMark();
  const cancel = new AbortController();
  const messages: string[] = [];
  const outcome = caller
    .run(
      { code: marked(mark, code), timeout_seconds: 160 },
      { signal: cancel.signal, onProgress: (message) => messages.push(message) },
    )
    .catch((error: unknown) => error as Error);
  let early: ExecutionResult | Error | undefined;
  void outcome.then((ended) => (early = ended));
  await until(
    'the program runs',
    () => {
      if (early)
        throw early instanceof Error ? early : new Error(`The run has ended: ${JSON.stringify(early)}`);
      return messages.at(-1)?.endsWith(': before');
    },
    60,
  );
  const id = messages.map((message) => /^starting (.+)$/.exec(message)?.[1]).find(Boolean) ?? '';
  return { id, mark, cancel, outcome };
}

/** How long the kubelet may take over a pod after its last process has ended. */
const bookkeepingSeconds = 10;

/** Waits until nothing is left of a run: no process within `seconds`, and then no Job and no pod. */
export async function vanished(
  backend: BackendName,
  { id, mark }: Pick<Live, 'id' | 'mark'>,
  seconds: number,
): Promise<void> {
  await Promise.all([
    until(`no process of ${mark}`, () => processesOf(mark).length === 0, seconds),
    backend === 'kubernetes' && gone(ofExecution(id), seconds + bookkeepingSeconds),
  ]);
}
