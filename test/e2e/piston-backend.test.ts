/** Other languages than Python, on a Piston beside the sandboxes. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startPiston } from '../piston/server.ts';
import { connect, ToolError } from './harness/clients.ts';
import { useServer, withServer } from './harness/fixture.ts';
import { backends } from './harness/server.ts';

const limits = { bash: { run_timeout: 3000 } };

for (const backend of backends) {
  describe(`other languages: ${backend}`, { concurrency: 2 }, async () => {
    const piston = await startPiston({ overrides: limits });
    after(() => piston.close());
    const vivarium = useServer(backend, { VIVARIUM_PISTON_URL: piston.url });

    it('bash and Python run side by side, each where it belongs', async () => {
      const request = { code: 'read line; echo "$line $1"; cat mounts/f', stdin: 'in', args: ['x'] };
      const files = [{ path: 'f', content: 'file' }];
      const [shell, python] = await Promise.all([
        vivarium.run({ ...request, language: 'sh', files }),
        vivarium.run({ code: 'import sys; print(sys.executable)', language: 'python' }),
      ]);
      assert.deepEqual([shell.status, shell.exit_code, shell.stdout], ['succeeded', 0, 'in x\nfile']);
      assert.equal(python.status, 'succeeded');
      assert.equal(piston.seen.filter(({ path }) => path.endsWith('/execute')).length > 0, true);
    });

    it('C is compiled, and says why where it does not', async () => {
      const good = await vivarium.run({
        code: '#include <stdio.h>\nint main(void){puts("c");return 3;}',
        language: 'c',
      });
      assert.deepEqual([good.status, good.exit_code, good.stdout], ['failed', 3, 'c\n']);
      const bad = await vivarium.run({ code: 'int main(void){return x;}', language: 'gcc' });
      assert.match(bad.message, /^The code does not compile/);
      assert.match(bad.stderr, /'x' undeclared/);
    });

    it('a run ends at the limit that Piston has', async () => {
      const result = await vivarium.run({ code: 'echo a; sleep 20', language: 'bash', timeout_seconds: 10 });
      assert.deepEqual([result.status, result.stdout], ['timed_out', 'a\n']);
      assert.match(result.message, /after its limit of 3 s/);
      assert.match(result.hints.join(), /timeout_seconds was lowered to 3 s/);
    });

    it('output that Piston dropped is not passed over in silence', async () => {
      const result = await vivarium.run({ code: 'yes', language: 'bash' });
      assert.deepEqual([result.status, result.truncated, result.stdout], ['failed', true, '']);
      assert.match(result.message, /wrote more to stdout than this Piston keeps/);
    });

    it('list_runtimes has all of them, and what is not there is refused by name', async () => {
      const caller = await connect('v2 modern', vivarium.server.mcpUrl);
      try {
        const { structuredContent } = await caller.tool('list_runtimes', {});
        const { runtimes } = structuredContent as { runtimes: { language: string; isolation: string }[] };
        assert.deepEqual(
          runtimes.map(({ language, isolation }) => [language, isolation]),
          [
            ['python', 'sandbox'],
            ['bash', 'piston'],
            ['c', 'piston'],
            ['c++', 'piston'],
          ],
        );
      } finally {
        await caller.close();
      }
      await assert.rejects(
        vivarium.run({ code: '', language: 'cobol' }),
        (error) =>
          error instanceof ToolError &&
          error.message.includes('there is no "cobol" here; there are: python, bash, c, c++'),
      );
    });
  });
}

describe('a Piston that is away', () => {
  it('fails its own runs alone', async () => {
    const piston = await startPiston();
    await piston.close();
    await withServer('local', { VIVARIUM_PISTON_URL: piston.url }, async (caller) => {
      await assert.rejects(
        caller.run({ code: 'echo 1', language: 'bash' }),
        (error) => error instanceof ToolError && error.code === 'piston_unavailable',
      );
      assert.equal((await caller.run({ code: 'print(1)' })).stdout, '1\n');
    });
  });
});
