/** The way to the API server breaks, and the results are exact all the same; or it stays broken, and that is said. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolError, type Caller } from './harness/clients.ts';
import { jobs, ofReplica } from './harness/cluster.ts';
import { withProxy } from './harness/fixture.ts';
import type { Server } from './harness/server.ts';
import { until } from './harness/until.ts';

/** How long the API server is away where it comes back: the fault itself, and no wait for anything. */
const awayMs = 3000;

const talks = `import sys, time
for n in range(60):
    print('out', n)
    print('err', n, file=sys.stderr)
    time.sleep(0.1)
raise SystemExit(5)`;

const said = (word: string) => Array.from({ length: 60 }, (_, n) => `${word} ${n}\n`).join('');

/** Runs the program that talks; `fault` happens when it has said its 20th line. */
async function talkWhile(caller: Caller, fault: () => Promise<void> | void): Promise<void> {
  let last = '';
  const run = caller.run({ code: talks }, { onProgress: (message) => (last = message) });
  run.catch(() => undefined); // awaited below
  // An execution id may end in a number, too.
  const lines = () => Number(/: (?:out|err) (\d+)$/.exec(last)?.[1] ?? 0);
  await until('the program has begun to talk', () => lines() > 20, 60);
  await fault();
  const result = await run;
  assert.deepEqual(
    {
      status: result.status,
      exit_code: result.exit_code,
      stdout: result.stdout,
      stderr: result.stderr,
      truncated: result.truncated,
    },
    { status: 'failed', exit_code: 5, stdout: said('out'), stderr: said('err'), truncated: false },
    JSON.stringify(result.message),
  );
}

async function readiness({ probesUrl }: Server): Promise<number> {
  return (await fetch(`${probesUrl}/readyz`, { signal: AbortSignal.timeout(10_000) })).status;
}

describe('a broken way to the API server', { concurrency: 3 }, () => {
  it('every connection cut in the middle of a run', async () => {
    await withProxy(({ proxy, caller }) => talkWhile(caller, proxy.cut));
  });

  it('cut three times in one run', async () => {
    await withProxy(({ proxy, caller }) =>
      talkWhile(caller, async () => {
        for (let times = 0; times < 3; times += 1) {
          proxy.cut();
          await sleep(500);
        }
      }),
    );
  });

  it('away in the middle of a run, and back', async () => {
    await withProxy(({ proxy, server, caller }) =>
      talkWhile(caller, async () => {
        await until('the server is ready', async () => (await readiness(server)) === 200, 15);
        proxy.leave();
        await until('the server is not ready', async () => (await readiness(server)) === 503, 15);
        await sleep(awayMs);
        proxy.restore();
        await until('the server is ready', async () => (await readiness(server)) === 200, 15);
      }),
    );
  });

  it('away until after the end of a run', async () => {
    await withProxy(async ({ proxy, caller }) => {
      const messages: string[] = [];
      const run = caller.run(
        { code: 'import time\nprint("first", end="")\ntime.sleep(6)\nprint(" last", end="")' },
        { onProgress: (message) => messages.push(message) },
      );
      run.catch(() => undefined); // awaited below
      await until('the program runs', () => messages.at(-1)?.endsWith(': first'), 60);
      proxy.leave();
      await sleep(awayMs + 5000);
      proxy.restore();
      const { status, stdout } = await run;
      assert.deepEqual([status, stdout], ['succeeded', 'first last']);
    });
  });

  it('away when a run begins, and back', async () => {
    await withProxy(async ({ proxy, caller }) => {
      proxy.leave();
      const run = caller.run({ code: 'print("late")' });
      run.catch(() => undefined); // awaited below
      await sleep(awayMs);
      proxy.restore();
      const { status, stdout } = await run;
      assert.deepEqual([status, stdout], ['succeeded', 'late\n']);
    });
  });

  it('the answer to the creation of a Job is lost: there is one Job all the same', async () => {
    await withProxy(async ({ proxy, server, caller }) => {
      // It has a connection: none is made while answers are lost.
      await fetch(`${server.url}/v1/executions/${'a'.repeat(26)}`);
      proxy.loseAnswers();
      const run = caller.run({ code: 'print("once")' });
      run.catch(() => undefined); // awaited below
      const ours = () => jobs(ofReplica(server.replica));
      await until('the Job is there', async () => (await ours()).length === 1, 20);
      proxy.restore();
      const { status, stdout } = await run;
      assert.deepEqual([status, stdout], ['succeeded', 'once\n']);
      assert.equal((await ours()).length, 1);
    });
  });
});

describe('no way to the API server', () => {
  it('is said within the time that a start may take', () =>
    withProxy(
      async ({ proxy, server, caller }) => {
        proxy.leave();
        const began = performance.now();
        const error = await caller.run({ code: 'print(1)' }).catch((thrown: unknown) => thrown);
        const seconds = (performance.now() - began) / 1000;
        assert.ok(error instanceof ToolError, JSON.stringify(error));
        assert.equal(error.code, 'cluster_unreachable', error.message);
        // Taking away what may have been made is tried for some more seconds.
        assert.ok(seconds < 32, `It took ${seconds} s.`);
        proxy.restore();
        await until('the server is ready', async () => (await readiness(server)) === 200, 15);
        assert.equal((await caller.run({ code: 'print("back")' })).stdout, 'back\n');
        assert.equal((await jobs(ofReplica(server.replica))).length, 1);
      },
      { VIVARIUM_START_TIMEOUT_SECONDS: '20' },
    ));
});
