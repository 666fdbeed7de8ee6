/** Pistom's tool over both of its transports, with code that really runs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectStdio, kinds, withCaller, type Caller } from './harness/clients.ts';
import { command } from './harness/command.ts';
import { backends, environment, startServer } from './harness/server.ts';

async function exercise(caller: Caller): Promise<void> {
  assert.deepEqual(await caller.tools(), ['run_python_code']);
  const said = async (code: string) => (await caller.tool('run_python_code', { code })).content;
  assert.deepEqual(await said('print(1 + 1)'), [{ type: 'text', text: '2\n' }]);
  assert.deepEqual(await said('1 + 1'), [{ type: 'text', text: '' }]);
  const [{ text }] = (await said('import sys\nprint("ä")\nsys.stdout.flush()\nraise ValueError("no")')) as [
    { text: string },
  ];
  assert.match(text, /^ä\nTraceback \(most recent call last\):\n[^]*\nValueError: no\n$/);
}

for (const backend of backends) {
  describe(`Pistom: ${backend}`, () => {
    it('over HTTP', async () => {
      const server = await startServer(backend, { VIVARIUM_DIALECTS: 'pistom:0' });
      try {
        for (const kind of kinds) await withCaller(kind, `${String(server.dialects.pistom)}/mcp`, exercise);
      } finally {
        await server.stop();
      }
    });

    it('over stdio', async () => {
      const caller = await connectStdio('v1', environment(backend), [
        'src/main.ts',
        'stdio',
        '--dialect',
        'pistom',
      ]);
      try {
        await exercise(caller);
      } finally {
        await caller.close();
      }
    });
  });
}

describe('vivarium stdio --dialect', () => {
  const wrong: [name: string, message: RegExp][] = [
    ['nothing', /--dialect nothing: there is no such dialect; there are piston, pistom, /],
    ['piston', /--dialect piston: it is no dialect of MCP, and has no tools/],
  ];
  for (const [name, message] of wrong) {
    it(`refuses ${name}`, async () => {
      const ended = await command(process.execPath, ['src/main.ts', 'stdio', '--dialect', name], {
        env: environment('local'),
      });
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, message);
    });
  }
});
