/** What a caller sees while its program runs: frames as they come over REST, progress over MCP, and the view by id. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCaller } from './harness/clients.ts';
import { useServer } from './harness/fixture.ts';
import { rest, streamRun } from './harness/rest.ts';
import { drained } from './harness/programs.ts';
import { backends } from './harness/server.ts';
import { until } from './harness/until.ts';

const turns = `import os
${drained}
for n in range(10):
    fd = 1 + n % 2
    os.write(fd, b'%d' % n)
    drained(fd)`;

/** Prints, and ends only when it is told to: what it printed is seen before that, or never. */
const waits = `import sys, time
print('half way', end='')
time.sleep(60)`;

for (const backend of backends) {
  describe(`streams: ${backend}`, { concurrency: 3 }, () => {
    const vivarium = useServer(backend);

    it('frames of both streams come in the order in which they were written', async () => {
      const events = await streamRun(vivarium.server.url, { code: turns, limits: { cpu: 0.5 } }).rest();
      const kinds = events.map(({ event }) => event);
      assert.deepEqual(
        [kinds.slice(0, 2), kinds.slice(-2)],
        [
          ['starting', 'started'],
          ['exit', 'result'],
        ],
      );
      const written = events
        .filter(({ event }) => event === 'stdout' || event === 'stderr')
        .map(({ event, data }) => [event, data.text]);
      assert.deepEqual(
        written,
        Array.from({ length: 10 }, (_, n) => [n % 2 === 0 ? 'stdout' : 'stderr', String(n)]),
      );
      const { stdout, stderr } = events.at(-1)?.data ?? {};
      assert.deepEqual([stdout, stderr], ['02468', '13579']);
    });

    it('output is seen while the program runs, by its stream and by its id', async () => {
      const stream = streamRun(vivarium.server.url, { code: waits });
      try {
        const { data: starting } = await stream.next('starting');
        const { data: frame } = await stream.next('stdout');
        assert.equal(frame.text, 'half way');
        const url = `${vivarium.server.url}/v1/executions/${String(starting.execution_id)}`;
        // The log may be a little behind the stream.
        const view = await until(
          'the run is seen by its id',
          async () => {
            const { body } = await rest('GET', url);
            return (body as { stdout: string }).stdout === 'half way' && body;
          },
          10,
        );
        const { state, result } = view as { state: string; result: unknown };
        assert.deepEqual([state, result], ['running', null]);
      } finally {
        stream.destroy();
      }
    });

    it('the result is there by its id after the end', async () => {
      const result = await vivarium.run({ code: 'print("later"); raise SystemExit(3)' });
      const url = `${vivarium.server.url}/v1/executions/${result.execution_id}`;
      const { status, body } = await rest('GET', url);
      const view = body as { state: string; stdout: string; result: typeof result };
      assert.deepEqual([status, view.state, view.stdout], [200, 'ended', 'later\n']);
      // The log, which is what other replicas read, does not say how long the run waited.
      const { ran } = result.timings;
      assert.deepEqual({ ...view.result, timings: view.result.timings.ran }, { ...result, timings: ran });
    });

    it('progress tells of the queue, the start, and the last output', () =>
      withCaller('v2 modern', vivarium.server.mcpUrl, async (caller) => {
        const messages: string[] = [];
        const cancel = new AbortController();
        const onProgress = (message: string) => messages.push(message);
        const run = caller.run({ code: waits }, { signal: cancel.signal, onProgress });
        const seen = () => messages.at(-1)?.endsWith(': half way');
        await Promise.all([
          assert.rejects(run),
          until('progress tells of the output', seen, 60).finally(() => {
            cancel.abort();
          }),
        ]);
        const [queued, starting, running, last] = messages;
        assert.deepEqual([queued, running], ['queued', 'running']);
        assert.match(starting ?? '', /^starting [a-z2-7]{26}$/);
        assert.match(last ?? '', /^running for [\d.]+ s: half way$/);
      }));
  });
}
