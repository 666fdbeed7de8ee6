/** Output without end: what is kept is capped, what is dropped is counted, and the server's memory stays flat. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useServer } from './harness/fixture.ts';
import { metric, watchLargest } from './harness/metrics.ts';
import { backends } from './harness/server.ts';

const MiB = 1_048_576;
const total = 200_000_000;

const floods = {
  lines: `block = b''.join(b'%099d\\n' % n for n in range(10_000))`,
  'one line': `block = b'x' * 1_000_000`,
};

for (const backend of backends) {
  describe(`floods: ${backend}`, () => {
    const vivarium = useServer(backend, { VIVARIUM_DEFAULT_CPU: '1', VIVARIUM_RETENTION_SECONDS: '1' });

    for (const [name, makeBlock] of Object.entries(floods)) {
      it(`200 MB, ${name}`, async () => {
        // The first large run pays for what stays: compiled code, pools, the heap's first growth.
        await vivarium.run({ code: `import os\n${makeBlock}\nfor n in range(3): os.write(1, block)` });
        const { probesUrl } = vivarium.server;
        const dropped = 'vivarium_output_dropped_bytes_total{stream="stdout"}';
        const memory = 'process_resident_memory_bytes';
        const before = { memory: await metric(probesUrl, memory), dropped: await metric(probesUrl, dropped) };
        const watching = watchLargest(probesUrl, memory);

        const result = await vivarium.run({
          code: `import sys
${makeBlock}
print('begins', file=sys.stderr)
for n in range(${total} // len(block)): sys.stdout.buffer.write(block)
print('ends', file=sys.stderr)
sys.exit(9)`,
          timeout_seconds: 120,
        });

        const largest = await watching.stop();
        assert.deepEqual([result.status, result.exit_code], ['failed', 9]);
        assert.equal(result.stderr, 'begins\nends\n');
        assert.equal(result.stdout_bytes, total);
        assert.equal(result.truncated, true);
        assert.equal(result.stdout.length, MiB);
        assert.match(result.stdout, name === 'lines' ? /^(\d{99}\n)+\d*$/ : /^x+$/);
        assert.deepEqual(result.hints, [
          `stdout is cut: its last ${total - MiB} bytes were dropped. Print less, or print a summary.`,
        ]);
        assert.equal((await metric(probesUrl, dropped)) - before.dropped, total - MiB);
        const growth = (largest - before.memory) / MiB;
        assert.ok(growth < 48, `The server grew by ${growth.toFixed(0)} MiB over a run of 200 MB.`);
      });
    }
  });
}
