/** `make run`: the server, one execution through a real MCP client, and then the server until Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { showOneRun } from '../examples/one-run.ts';

interface Serving {
  msg: 'serving';
  mcp: string;
  why: string;
}

// In a process group of its own: Ctrl-C in a terminal reaches a whole group, and a server takes a second one for haste.
const server = spawn(process.execPath, ['src/main.ts', 'serve'], {
  stdio: ['ignore', 'inherit', 'pipe'],
  detached: true,
});
const ended = once(server, 'exit') as Promise<[number | null]>;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal));

const serving = Promise.withResolvers<Serving>();
createInterface({ input: server.stderr }).on('line', (line) => {
  console.error(line);
  if (line.includes('"msg":"serving"')) serving.resolve(JSON.parse(line) as Serving);
});

const first = await Promise.race([serving.promise, ended]);
if ('mcp' in first) {
  try {
    console.log(`==> code runs here: ${first.why}`);
    await showOneRun(first.mcp);
    console.log(
      `\n==> MCP is at ${first.mcp}, REST at ${new URL('/v1/executions', first.mcp).href}. Ctrl-C ends it.`,
    );
  } catch (error) {
    console.error(error);
    server.kill('SIGTERM');
    process.exitCode = 1;
  }
}
const [code] = await ended;
process.exitCode ??= code ?? 1;
