/** A program cannot forge, silence or end its agent: the result is exact whatever it tries. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attacks } from './cases/attacks.ts';
import { useServer } from './harness/fixture.ts';
import { backends } from './harness/server.ts';

for (const backend of backends) {
  describe(`attacks on the agent: ${backend}`, { concurrency: 4 }, () => {
    const vivarium = useServer(backend);

    for (const { name, code, stdout } of attacks) {
      it(name, async () => {
        // A walk through all folders of a machine may take a while.
        const result = await vivarium.run({ code, timeout_seconds: 120 });
        assert.deepEqual(
          {
            stdout: result.stdout,
            status: result.status,
            exit_code: result.exit_code,
            truncated: result.truncated,
          },
          { stdout, status: 'failed', exit_code: 7, truncated: false },
          JSON.stringify(result),
        );
        assert.equal(result.stdout_bytes, Buffer.byteLength(stdout));
        assert.equal(result.stderr_bytes, Buffer.byteLength(result.stderr));
      });
    }
  });
}
