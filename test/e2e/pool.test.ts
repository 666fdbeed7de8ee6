/** A warm pool changes how long a run waits for its sandbox, and nothing else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCaller } from './harness/clients.ts';
import { gone, jobs, ofExecution, ofReplica } from './harness/cluster.ts';
import { useServer } from './harness/fixture.ts';
import { startLive, vanished } from './harness/live.ts';
import { metric, watchSmallest } from './harness/metrics.ts';
import { pooled, poolReady } from './harness/pool.ts';
import { backends, both, startServer } from './harness/server.ts';
import { until } from './harness/until.ts';

for (const backend of backends) {
  describe(`a pool: ${backend}`, () => {
    const vivarium = useServer(backend, pooled({ min: 2, max: 2, preload: ['json.tool', 'no_such_module'] }));

    it('what it preloads is imported when the code begins, and what fails is said', async () => {
      await poolReady(vivarium.server, 2);
      const { stdout, stderr, timings } = await vivarium.run({
        code: `import sys; print('json.tool' in sys.modules, 'no_such_module' in sys.modules)`,
      });
      assert.deepEqual([stdout, stderr, timings.scheduled], ['True False\n', '', 0]);
      assert.ok(vivarium.server.log.some((line) => JSON.stringify(line).includes('no_such_module')));
    });

    it('other limits than its own run in a sandbox of their own', async () => {
      await poolReady(vivarium.server, 2);
      const { stdout } = await vivarium.run({
        code: `import sys; print('json.tool' in sys.modules)`,
        limits: { memory_mb: 300 },
      });
      assert.equal(stdout, 'False\n');
    });

    it('a burst of twice its size is served, and it fills again', async () => {
      await poolReady(vivarium.server, 2);
      // Each leaves something that the next would find.
      const code = `import os\nprint(os.path.exists('/tmp/trace'))\nopen('/tmp/trace', 'w').close()`;
      const results = await Promise.all([0, 1, 2, 3].map(() => vivarium.run({ code })));
      assert.deepEqual(
        results.map(({ status, stdout, stderr }) => [status, stdout, stderr]),
        Array(4).fill(['succeeded', 'False\n', '']),
      );
      await poolReady(vivarium.server, 2);
    });
  });
}

describe('a pool in the cluster', { concurrency: 2 }, () => {
  it('a run is found by its id on any replica: while it goes on, and after', async () => {
    const [owner, other] = await both(
      startServer('kubernetes', pooled({ min: 1, max: 1 })),
      startServer('kubernetes'),
    );
    try {
      await poolReady(owner, 1);
      await withCaller('v2 modern', owner.mcpUrl, async (caller) => {
        const short = await caller.run({ code: 'print(1)' });
        const found = await until(
          'another replica finds the run, and how it ended',
          async () => {
            const response = await fetch(`${other.url}/v1/executions/${short.execution_id}`);
            const view = (await response.json()) as { result?: { stdout: string } | null };
            return view.result ?? undefined;
          },
          10,
        );
        assert.equal(found.stdout, '1\n');

        await poolReady(owner, 1);
        const live = await startLive(caller);
        const [job] = await until(
          'its Job names it',
          async () => {
            const found = await jobs(ofExecution(live.id));
            return found.length === 1 && found;
          },
          10,
        );
        // 160 s of the run, 135 to fetch, start and hand out files, and the sandbox's age; one that waits has an hour.
        assert.ok(Number(job?.spec?.activeDeadlineSeconds) < 400, 'the deadline is the run’s own');
        const cancelled = await fetch(`${other.url}/v1/executions/${live.id}`, { method: 'DELETE' });
        assert.equal(cancelled.status, 202);
        await vanished('kubernetes', live, 30);
        const outcome = await live.outcome;
        assert.ok(!(outcome instanceof Error) && outcome.status === 'cancelled');
      });
    } finally {
      await Promise.all([owner.stop(), other.stop()]);
    }
  });

  it('a server that is told to end lets a claimed sandbox finish, and takes the others away at once', async () => {
    const server = await startServer(
      'kubernetes',
      pooled({ min: 3, max: 3 }, { VIVARIUM_DRAIN_SECONDS: '60' }),
    );
    try {
      await poolReady(server, 3);
      await withCaller('v2 modern', server.mcpUrl, async (caller) => {
        const messages: string[] = [];
        const answer = caller.run(
          { code: `print('begun')\nimport time\ntime.sleep(50)\nprint('done')`, timeout_seconds: 60 },
          { onProgress: (message) => messages.push(message) },
        );
        answer.catch(() => undefined); // awaited below
        await until('the program runs', () => messages.at(-1)?.endsWith('begun'), 30);
        // A sandbox that starts is taken away once it has started.
        await poolReady(server, 3);
        server.kill('SIGTERM');
        await until('one Job is left', async () => (await unfinished(server.replica)) === 1, 12);
        assert.ok(!server.hasEnded(), 'the run still goes on');
        assert.equal((await answer).stdout, 'begun\ndone\n');
      });
      await until('the server has ended', () => server.hasEnded(), 60);
      await until('nothing is left', async () => (await jobs(ofReplica(server.replica))).length === 0, 30);
    } finally {
      await server.stop();
    }
  });

  it(
    'kill -9 with 10 that wait and 3 that run: within 60 s no Job is left',
    { timeout: 240_000 },
    async () => {
      const [victim, survivor] = await both(
        startServer('kubernetes', pooled({ min: 10, max: 10 })),
        startServer('kubernetes'),
      );
      try {
        await poolReady(victim, 10);
        await withCaller('v2 modern', victim.mcpUrl, async (caller) => {
          const running = await Promise.all([1, 2, 3].map(() => startLive(caller)));
          await poolReady(victim, 10);
          victim.kill('SIGKILL');
          const killed = performance.now();
          await Promise.all(running.map((live) => vanished('kubernetes', live, 60)));
          await gone(ofReplica(victim.replica), 60 - (performance.now() - killed) / 1000);
        });
        assert.equal(await metric(survivor.probesUrl, 'vivarium_running'), 0);
      } finally {
        await Promise.all([victim.stop(), survivor.stop()]);
      }
    },
  );

  it('an image that cannot be had backs off, and says so', async () => {
    const server = await startServer(
      'kubernetes',
      pooled({ min: 2, max: 2, image: 'vivarium-sandbox:no-such-tag' }),
    );
    try {
      const failures = 'vivarium_pool_failures_total{pool="e2e"}';
      await until('it has failed', async () => (await metric(server.probesUrl, failures)) >= 2, 60);
      const made = await metric(
        server.probesUrl,
        'vivarium_kubernetes_requests_total{verb="post",code="201"}',
      );
      // Two at first, then one at a time with growing pauses; a few reviews of the account's rights are posted too.
      assert.ok(made < 40, `${made} writes`);
      const said = () => server.log.some(({ msg }) => msg === 'a sandbox of the pool was lost');
      await until('it is said', said, 10);
    } finally {
      await server.stop();
    }
  });
});

// Beside nothing of this file: a replacement has ten seconds to start in.
describe('the age of a pool', () => {
  it('sandboxes that wait for long are replaced, and there is always one', async () => {
    const server = await startServer(
      'kubernetes',
      pooled({ min: 1, max: 1 }, { VIVARIUM_POOL_MAX_AGE_SECONDS: '30' }),
    );
    try {
      await poolReady(server, 1);
      const [first] = await jobs(ofReplica(server.replica));
      const smallest = watchSmallest(server.probesUrl, 'vivarium_pool_sandboxes{pool="e2e",state="ready"}');
      await until(
        'another has taken its place',
        async () => {
          const found = await jobs(ofReplica(server.replica));
          return found.length > 0 && !found.some(({ metadata }) => metadata?.uid === first?.metadata?.uid);
        },
        60,
      );
      assert.equal(await smallest.stop(), 1);
    } finally {
      await server.stop();
    }
  });
});

async function unfinished(replica: string): Promise<number> {
  const found = await jobs(ofReplica(replica));
  return found.filter(({ metadata, status }) => !metadata?.deletionTimestamp && status?.active === 1).length;
}
