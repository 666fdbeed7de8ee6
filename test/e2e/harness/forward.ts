import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Caller, withCaller } from './clients.ts';
import { end } from './command.ts';
import { until } from './until.ts';

/** A client of a server's pod, through the API server. */
export async function forward(
  namespace: string,
  pod: string,
  use: (caller: Caller) => Promise<void>,
): Promise<void> {
  const child = spawn('kubectl', ['port-forward', '-n', namespace, `pod/${pod}`, ':8000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let port: string | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    port ??= /127\.0\.0\.1:(\d+) ->/.exec(line)?.[1];
  });
  try {
    const found = await until('the port is forwarded', () => port, 20);
    await withCaller('v2 modern', `http://127.0.0.1:${found}/mcp`, use);
  } finally {
    await end(child, 5);
  }
}
