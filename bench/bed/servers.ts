import { variableName } from '../../src/config.ts';
import { connect, type Caller } from '../../test/e2e/harness/clients.ts';
import { startServer, type Server, type Settings } from '../../test/e2e/harness/server.ts';
import { scrape, total } from '../prometheus.ts';
import { megabyte } from '../workloads.ts';

/** Settings of both servers. The queue is long enough for every load: what waits is measured, not refused. */
export const settings = {
  defaultCpu: 1,
  // Many wait and few compute, on a node of few processors.
  cpuReserved: 0.02,
  defaultMemoryMb: 256,
  concurrency: 64,
  queueLength: 256,
  queueWaitSeconds: 150,
  startTimeoutSeconds: 120,
  unschedulableSeconds: 60,
  retentionSeconds: 1,
  outputBytes: 16 * megabyte,
};

/** The pool that is measured; its libraries are those that its rivals import. */
export const pools = [poolOf(8)];

export function poolOf(size: number) {
  return { name: 'data', min: size, max: size, preload: ['numpy', 'pandas'] };
}

export type ServerSettings = typeof settings & { pools: typeof pools };

/** A server and a client of it. */
export interface Vivarium {
  server: Server;
  caller: Caller;
  /** How many sandboxes it keeps ready. */
  poolSize: number;
}

export async function startVivarium(its: typeof pools): Promise<Vivarium> {
  const server = await startServer('kubernetes', {
    ...variables(settings),
    VIVARIUM_POOLS: JSON.stringify(its),
  });
  try {
    const caller = await connect('v2 modern', server.mcpUrl);
    return { server, caller, poolSize: its.reduce((total, { min }) => total + min, 0) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

export async function stopVivarium({ server, caller }: Vivarium): Promise<void> {
  await caller.close();
  await server.stop();
}

/** How many sandboxes of a pool are ready and how many are on their way. */
export async function poolState({ server }: Vivarium): Promise<{ ready: number; starting: number }> {
  const series = await scrape(server.probesUrl);
  const of = (state: string) => total(series, 'vivarium_pool_sandboxes', (labels) => labels.state === state);
  return { ready: of('ready'), starting: of('starting') };
}

function variables(values: Record<string, number>): Settings {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [variableName(name), String(value)]),
  );
}
