/** Programs that will not end, or take all there is: the right end, in time, nothing left, and no neighbour harmed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import { hostiles, limitSeconds } from './cases/hostile.ts';
import { ended, ofExecution } from './harness/cluster.ts';
import { useServer } from './harness/fixture.ts';
import { marked, newMark, processesOf } from './harness/marks.ts';
import { backends } from './harness/server.ts';
import { until } from './harness/until.ts';

/** Prints as it goes, and when it began and ended, by the node's clock. */
const neighbour = `import time
print(time.time())
for n in range(30):
    print('tick', n)
    time.sleep(0.1)
print(time.time())`;

const prologue = `import sys, time
print(time.time(), 'kept', flush=True)
sys.stderr.write('kept, too')
`;

const ticks = Array.from({ length: 30 }, (_, n) => `tick ${n}`);

for (const backend of backends) {
  describe(`hostile programs: ${backend}`, { concurrency: 2 }, () => {
    const vivarium = useServer(backend);

    for (const { name, code, request = {}, status, exitCode, stderr = /^kept, too/ } of hostiles) {
      it(name, async () => {
        const mark = newMark();
        const limit = request.timeout_seconds ?? limitSeconds;
        const hostile = async () => {
          const began = performance.now();
          const result = await vivarium.run({
            timeout_seconds: limit,
            ...request,
            code: marked(mark, prologue + code),
          });
          const seconds = (performance.now() - began) / 1000;
          // A sandbox is over when its result is there: it was waited for, and not only told to end.
          if (backend === 'local') assert.deepEqual(processesOf(mark), []);
          checkTime(result, limit, seconds);
          return result;
        };
        const [result, other] = await together(hostile, () => vivarium.run({ code: neighbour }));

        const expected = typeof status === 'string' ? status : status[backend];
        assert.equal(result.status, expected, JSON.stringify(result));
        // The kernel ends a program that has too much by SIGKILL; Python ends it by MemoryError, with 1, if it can.
        if (expected !== 'out_of_memory' && exitCode !== null) assert.equal(result.exit_code, exitCode);
        if (expected === 'timed_out') assert.deepEqual([result.exit_code, result.signal], [null, null]);
        assert.match(result.stdout, /^[\d.]+ kept\n$/);
        assert.match(result.stderr, /^kept, too/);
        assert.match(result.stderr, stderr);

        const lines = other.stdout.trimEnd().split('\n');
        assert.deepEqual([other.status, other.stderr], ['succeeded', '']);
        assert.deepEqual(lines.slice(1, -1), ticks);
        if (backend === 'kubernetes') {
          await ended(ofExecution(result.execution_id), 30);
          assert.deepEqual(processesOf(mark), []);
        }
      });
    }

    it('a process that is looked for is found while it runs, and not after a cancellation', async () => {
      const mark = newMark();
      const cancel = new AbortController();
      const run = vivarium.run(
        { code: marked(mark, 'import time; time.sleep(60)') },
        { signal: cancel.signal },
      );
      await Promise.all([
        assert.rejects(run),
        until('the process is there', () => processesOf(mark).length === 1, 60).finally(() => {
          cancel.abort();
        }),
      ]);
      await until('it is gone', () => processesOf(mark).length === 0, 30);
    });
  });
}

/** Runs both at one time. Where one that lasts started when the other was over, nothing is shown, and they run again. */
async function together(
  hostile: () => Promise<ExecutionResult>,
  other: () => Promise<ExecutionResult>,
): Promise<[ExecutionResult, ExecutionResult]> {
  for (let tries = 0; tries < 3; tries += 1) {
    const [one, two] = await Promise.all([hostile(), other()]);
    const began = Number.parseFloat(one.stdout);
    const [first = '', ...lines] = two.stdout.trimEnd().split('\n');
    const met = Number(first) < began + (one.timings.ran ?? 0) && began < Number(lines.at(-1));
    if (met || one.status !== 'timed_out') return [one, two];
  }
  throw new Error('The two did not run at the same time.');
}

/** By the result's own account, and by the clock of the caller. */
function checkTime({ status, timings }: ExecutionResult, limit: number, seconds: number): void {
  const { queued, scheduled, started: starting, ran } = timings;
  if (ran !== null) {
    assert.ok(ran <= limit + 2, `It ran for ${ran} s.`);
    if (status === 'timed_out') assert.ok(ran >= limit, `It was ended after ${ran} s.`);
  }
  assert.ok(queued !== null && scheduled !== null && starting !== null, JSON.stringify(timings));
  const after = seconds - queued - scheduled - starting;
  assert.ok(after <= limit + 5, `The result came ${after} s after the start.`);
}
