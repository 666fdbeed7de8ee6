/** Many runs, some at a time: each result is its own, and in the end there is nothing left. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gone, ofReplica } from './harness/cluster.ts';
import { useServer } from './harness/fixture.ts';
import { watchLargest } from './harness/metrics.ts';
import { backends } from './harness/server.ts';

const count = 50;
const atOnce = 8;

const code = `import hashlib, sys
word = sys.stdin.read()
for n in range(200):
    word = hashlib.sha256(word.encode()).hexdigest()
    print(word)
print(sys.argv[1], file=sys.stderr)
sys.exit(int(sys.argv[1]))`;

function expected(number: number): string {
  let word = `run ${number}`;
  let text = '';
  for (let n = 0; n < 200; n += 1) {
    word = createHash('sha256').update(word).digest('hex');
    text += `${word}\n`;
  }
  return text;
}

for (const backend of backends) {
  describe(`${count} runs, ${atOnce} at a time: ${backend}`, () => {
    const vivarium = useServer(backend, {
      VIVARIUM_CONCURRENCY: String(atOnce),
      VIVARIUM_RETENTION_SECONDS: '1',
      VIVARIUM_DEFAULT_CPU: '0.2',
      VIVARIUM_DEFAULT_MEMORY_MB: '256',
    });

    it('every result is exact, and nothing is left', async () => {
      const watching = watchLargest(vivarium.server.probesUrl, 'vivarium_running');
      const numbers = Array.from({ length: count }, (_, number) => number);
      const results = await Promise.all(
        numbers.map((number) => vivarium.run({ code, stdin: `run ${number}`, args: [String(number)] })),
      );
      const largest = await watching.stop();
      assert.deepEqual(
        results.map(({ exit_code, stdout, stderr, truncated }) => ({ exit_code, stdout, stderr, truncated })),
        numbers.map((number) => ({
          exit_code: number,
          stdout: expected(number),
          stderr: `${number}\n`,
          truncated: false,
        })),
      );
      assert.equal(new Set(results.map(({ execution_id }) => execution_id)).size, count);
      assert.equal(largest, atOnce);
      if (backend === 'kubernetes') await gone(ofReplica(vivarium.server.replica), 60);
    });
  });
}
