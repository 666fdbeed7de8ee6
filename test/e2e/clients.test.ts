/** Every kind of client lists the tools and calls one: over HTTP and stdio, of both eras, and the Inspector. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  connect,
  connectStdio,
  kinds,
  nativeTools,
  resultOf,
  type Caller,
  type ToolAnswer,
} from './harness/clients.ts';
import { output } from './harness/command.ts';
import { backends, environment, startServer, type Server } from './harness/server.ts';

const inspector = '@modelcontextprotocol/inspector@2.12.0';
const eras = { v1: 'legacy', 'v2 legacy': 'legacy', 'v2 modern': 'modern' };

before(async () => {
  // Two that install it at one time would be in each other's way.
  await output('npx', ['-y', inspector, '--help'], { seconds: 150 });
});

for (const backend of backends) {
  describe(`clients: ${backend}`, { concurrency: 2 }, () => {
    let server: Server | undefined;
    before(async () => {
      server = await startServer(backend);
    });
    after(() => server?.stop());
    const mcpUrl = () => server?.mcpUrl ?? '';

    for (const kind of kinds) {
      it(`${kind} over HTTP`, async () => {
        await exercise(await connect(kind, mcpUrl()), eras[kind]);
      });

      it(`${kind} over stdio`, async () => {
        await exercise(await connectStdio(kind, environment(backend)), eras[kind]);
      });
    }

    for (const era of ['legacy', 'auto', 'modern']) {
      it(`the Inspector, ${era}`, async () => {
        const inspect = async (...args: string[]) => {
          const server = ['--cli', mcpUrl(), '--protocol-era', era, '--format', 'json', '-q'];
          const text = await output('npx', ['-y', '--prefer-offline', inspector, ...server, ...args], {
            seconds: 150,
          });
          return (JSON.parse(text) as { result: unknown }).result;
        };
        const { tools } = (await inspect('--method', 'tools/list')) as { tools: { name: string }[] };
        assert.deepEqual(
          tools.map(({ name }) => name),
          nativeTools,
        );
        const call = ['--method', 'tools/call', '--tool-name', 'run_code', '--tool-arg', 'code=print(6 * 7)'];
        const { status, stdout } = resultOf((await inspect(...call)) as ToolAnswer);
        assert.deepEqual([status, stdout], ['succeeded', '42\n']);
      });
    }
  });
}

/** Lists, calls, calls wrongly, and leaves. */
async function exercise(caller: Caller, era: string): Promise<void> {
  try {
    assert.equal(caller.era, era);
    assert.deepEqual(await caller.tools(), nativeTools);

    const answer = await caller.call({
      code: 'import sys; print(sys.stdin.read()); sys.exit(3)',
      stdin: 'ü\0',
    });
    const result = resultOf(answer);
    assert.deepEqual([result.status, result.exit_code, result.stdout], ['failed', 3, 'ü\0\n']);
    const [{ type, text }] = answer.content as [{ type: string; text: string }];
    assert.equal(type, 'text');
    assert.match(text, /^failed, exit code 3 after [\d.]+ s\nThe code exited with code 3\.\n\nstdout:\nü\0$/);

    const { tool, rpc } = await refusal(caller, { code: 'print(1)', tiemout_seconds: 3 });
    assert.match(tool ?? rpc ?? '', /tiemout_seconds/);
  } finally {
    await caller.close();
  }
}

/** What a call that must fail says: as the tool's own error, or as one of the protocol. */
async function refusal(
  caller: Caller,
  request: Record<string, unknown>,
): Promise<{ tool?: string; rpc?: string }> {
  try {
    const answer = await caller.call(request);
    assert.equal(answer.isError, true);
    return { tool: JSON.stringify(answer.content) };
  } catch (error) {
    assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error));
    return { rpc: error.message };
  }
}
