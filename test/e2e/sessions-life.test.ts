/** How long a session lives, and what it takes to lose it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ToolError } from './harness/clients.ts';
import { jobs, kubectl, ofReplica, pods } from './harness/cluster.ts';
import { withProxy, withServer } from './harness/fixture.ts';
import { createSession } from './harness/sessions.ts';
import type { Settings } from './harness/server.ts';
import { until } from './harness/until.ts';

const refusedAs = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ToolError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

describe('the life of a session', { concurrency: 3 }, () => {
  it('is as long as it is used: its Job’s deadline is put off, and it goes on through runs that is longer than its idle time', async () => {
    const settings: Settings = {
      VIVARIUM_MAX_TIMEOUT_SECONDS: '10',
      VIVARIUM_DEFAULT_TIMEOUT_SECONDS: '10',
      VIVARIUM_QUEUE_WAIT_SECONDS: '1',
      VIVARIUM_FETCH_SECONDS: '1',
      VIVARIUM_BUILD_SECONDS: '1',
      // A Job's first deadline allows for its start.
      VIVARIUM_START_TIMEOUT_SECONDS: '30',
    };
    await withServer('kubernetes', settings, async (caller, server) => {
      const here = await createSession(caller, { idle_seconds: 5 });
      const [job] = await jobs(ofReplica(server.replica));
      const deadline = job?.spec?.activeDeadlineSeconds ?? 0;
      await here.run('turns = 0');
      await until(
        'the deadline is later',
        async () => {
          const { status } = await here.run('import time\ntime.sleep(6)\nturns += 1');
          assert.equal(status, 'succeeded');
          const [used] = await jobs(ofReplica(server.replica));
          return (used?.spec?.activeDeadlineSeconds ?? 0) > deadline;
        },
        120,
      );
      assert.match((await here.run('print(turns)')).stdout, /^\d+\n$/);
    });
  });

  it('ends at its greatest age, and a run is told so before', async () => {
    const settings: Settings = {
      VIVARIUM_SESSION_MAX_AGE_SECONDS: '12',
      VIVARIUM_SESSION_IDLE_SECONDS: '12',
    };
    await withServer('kubernetes', settings, async (caller) => {
      const here = await createSession(caller);
      const result = await here.run('import time\ntime.sleep(60)', { timeout_seconds: 60 });
      assert.equal(result.status, 'timed_out');
      assert.match(result.hints.join(' '), /greatest age/);
      await until(
        'the session has ended',
        () =>
          here.list().then(
            () => false,
            (error: unknown) => refusedAs('session_ended', /greatest age/)(error),
          ),
        20,
      );
    });
  });

  it('ends with its pod, and that is said', async () => {
    await withServer('kubernetes', {}, async (caller, server) => {
      const here = await createSession(caller);
      await here.run('x = 1');
      const [pod] = await pods(ofReplica(server.replica));
      let last = '';
      const onProgress = (message: string) => (last = message);
      const code = `import time\nprint('begun')\ntime.sleep(60)`;
      const running = here.run(code, { timeout_seconds: 60 }, { onProgress });
      running.catch(() => undefined); // awaited below
      await until('the run has begun', () => last.includes('begun'), 60);
      const { name = '', namespace = '' } = pod?.metadata ?? {};
      await kubectl(['delete', 'pod', name, '-n', namespace, '--grace-period=1', '--wait=false']);
      const { status, message } = await running;
      assert.notEqual(status, 'succeeded');
      assert.match(message, /variables and files are gone/);
      await assert.rejects(here.run('print(x)'), refusedAs('session_ended', /sandbox was lost/));
    });
  });
});

describe('a session whose connections break', { concurrency: 2 }, () => {
  const talks = `import time
for n in range(40):
    print('line', n)
    time.sleep(0.1)
x = 1`;
  const said = Array.from({ length: 40 }, (_, n) => `line ${n}\n`).join('');

  it('loses nothing of the run that goes on, and then says what became of it', async () => {
    await withProxy(async ({ caller, proxy }) => {
      const here = await createSession(caller);
      let last = '';
      const run = here.run(talks, {}, { onProgress: (message) => (last = message) });
      run.catch(() => undefined); // awaited below
      await until('the program talks', () => /line \d+$/.test(last), 60);
      proxy.cut();
      const { status, stdout, truncated } = await run;
      assert.deepEqual([status, stdout, truncated], ['succeeded', said, false]);
      const next = await here.run('print(x)').then(
        (result) => result.stdout,
        (error: unknown) => (error instanceof ToolError ? error.code : String(error)),
      );
      assert.match(next, /^(1\n|session_ended)$/);
    });
  });

  it('ends where they break between two runs, at once and plainly', async () => {
    await withProxy(async ({ caller, server, proxy }) => {
      const here = await createSession(caller);
      await here.run('x = 1');
      proxy.cut();
      await until('the session has ended', () => server.log.some(({ msg }) => msg === 'session'), 30);
      await assert.rejects(here.run('print(x)'), refusedAs('session_ended', /sandbox was lost/));
      assert.equal((await (await createSession(caller)).run('print(2)')).stdout, '2\n');
    });
  });
});

describe('large files of a session', () => {
  it('go in and out, again and again', async () => {
    await withServer('kubernetes', {}, async (caller, server) => {
      const { id, run } = await createSession(caller, { limits: { cpu: 1, memory_mb: 256 } });
      const bytes = Buffer.alloc(30 * 1_048_576, Buffer.from(Array.from({ length: 251 }, (_, n) => n)));
      for (let turn = 0; turn < 4; turn += 1) {
        const url = `${server.url}/v1/sessions/${id}/files/large.bin`;
        const put = await fetch(url, { method: 'PUT', body: bytes });
        assert.deepEqual([put.status, await put.json()], [200, { path: 'large.bin', size: bytes.length }]);
        assert.ok(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(bytes));
      }
      assert.equal((await run(`len(open('large.bin', 'rb').read())`)).value?.text, String(bytes.length));
    });
  });
});
