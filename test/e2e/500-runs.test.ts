/** 500 runs over two small pools: each run has a pod that no other had, and finds nothing that another left. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useServer } from './harness/fixture.ts';
import { metric } from './harness/metrics.ts';
import { pooled, poolReady } from './harness/pool.ts';

const count = 500;

/** Tells which sandbox this is and what is in it, and leaves as much behind as it can. */
const code = `import json, os, random, sys, time
traces = [path for path in ('/tmp/trace', '/workspace/trace') if os.path.exists(path)]
traces += [name for name in ('TRACE',) if name in os.environ] + [name for name in ('trace',) if hasattr(random, name)]
print(json.dumps([os.uname().nodename, random.random(), hash('seed'), traces, sys.argv[1]]))
for path in ('/tmp/trace', '/workspace/trace'): open(path, 'w').write('x')
os.environ['TRACE'] = random.trace = 'x'
random.seed(1)`;

describe(`${count} runs over the pools of two replicas`, () => {
  const settings = pooled(
    { min: 3, max: 6, preload: ['random'] },
    // As many starts at one time as processors: more are no faster, and slow down what else runs.
    { VIVARIUM_RETENTION_SECONDS: '1', VIVARIUM_REFILL_CONCURRENCY: '1' },
  );
  const replicas = [useServer('kubernetes', settings), useServer('kubernetes', settings)];

  it(
    'none shares a pod, a file, a variable, a module’s state or a seed',
    { timeout: 1_200_000 },
    async () => {
      await Promise.all(replicas.map(({ server }) => poolReady(server, 3)));
      const numbers = Array.from({ length: count }, (_, number) => number).values();
      const seen: [string, number, number, string[], string][] = [];
      const client = async (vivarium: (typeof replicas)[number]) => {
        for (const number of numbers) {
          const { status, stdout, stderr } = await vivarium.run({ code, args: [String(number)] });
          assert.deepEqual([status, stderr], ['succeeded', '']);
          seen.push(JSON.parse(stdout) as (typeof seen)[number]);
        }
      };
      await Promise.all(replicas.map(client));

      const distinct = (field: 0 | 1 | 2 | 4) => new Set(seen.map((line) => line[field])).size;
      assert.equal(seen.length, count);
      assert.deepEqual([distinct(0), distinct(1), distinct(2), distinct(4)], [count, count, count, count]);
      assert.deepEqual(
        seen.flatMap(([, , , traces]) => traces),
        [],
      );
      for (const { server } of replicas) {
        assert.ok(
          (await metric(server.probesUrl, 'vivarium_pool_claims_total{pool="e2e",outcome="hit"}')) > 0,
        );
        assert.equal(await metric(server.probesUrl, 'vivarium_pool_failures_total{pool="e2e"}'), 0);
      }
    },
  );
});
