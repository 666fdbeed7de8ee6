import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { end, hasEnded, root } from './command.ts';
import { release } from './release.ts';
import { until } from './until.ts';

export const backends = ['local', 'kubernetes'] as const;
export type BackendName = (typeof backends)[number];

/** Settings by their variables, and those of what they lean on. */
export type Settings = Partial<Record<`VIVARIUM_${string}` | `AWS_${string}` | 'KUBECONFIG', string>>;

/** A server in a process of its own. */
export interface Server {
  url: string;
  mcpUrl: string;
  probesUrl: string;
  /** Bases of the dialects that are set, by name. */
  dialects: Record<string, string>;
  replica: string;
  pid: number;
  /** What it logged, one object a line. */
  log: Record<string, unknown>[];
  /** Sends a signal to it alone. */
  kill(signal: NodeJS.Signals): void;
  hasEnded(): boolean;
  stop(): Promise<void>;
}

/**
 * On a node of two CPUs, and next to other tests, sandboxes are small, and wait for each other. What needs a whole CPU
 * asks for it.
 */
const shared: Settings = {
  VIVARIUM_DEFAULT_CPU: '0.25',
  VIVARIUM_START_TIMEOUT_SECONDS: '60',
  VIVARIUM_QUEUE_WAIT_SECONDS: '120',
  VIVARIUM_DRAIN_SECONDS: '1',
  // Those who name no caller are one, and their sessions are counted for the whole cluster.
  VIVARIUM_SESSIONS_PER_CALLER: '64',
};

/** The environment of a Vivarium command: nothing of the caller's own settings, and the server's own account. */
export function environment(backend: BackendName, settings: Settings = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VIVARIUM_'));
  return {
    ...Object.fromEntries(inherited),
    VIVARIUM_BACKEND: backend,
    ...shared,
    VIVARIUM_ARTIFACT_STORE: join(dirname(release().kubeconfig), 'artifacts'),
    VIVARIUM_ENVIRONMENTS_FOLDER: join(dirname(release().kubeconfig), 'environments'),
    ...(backend === 'kubernetes' && {
      KUBECONFIG: release().kubeconfig,
      VIVARIUM_NAMESPACE: release().sandboxes,
    }),
    ...settings,
  };
}

/** `vivarium serve` on free ports. Whoever starts it stops it. */
export async function startServer(backend: BackendName, settings: Settings = {}): Promise<Server> {
  const replica = `e2e-${randomBytes(5).toString('hex')}`;
  const child = spawn(process.execPath, ['src/main.ts', 'serve'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment(backend, {
      VIVARIUM_PORT: '0',
      VIVARIUM_PROBE_PORT: '0',
      VIVARIUM_REPLICA_NAME: replica,
      ...settings,
    }),
  });
  const log: Record<string, unknown>[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(parsed(line));
  });
  const stop = () => end(child, 20);
  try {
    const serving = await until(
      'the server serves',
      () => {
        if (hasEnded(child)) throw new Error(`The server did not start: ${JSON.stringify(log)}`);
        return log.find(({ msg }) => msg === 'serving');
      },
      60,
    );
    const mcpUrl = String(serving.mcp);
    return {
      url: mcpUrl.replace(/\/mcp$/, ''),
      mcpUrl,
      probesUrl: String(serving.probes),
      dialects: serving.dialects as Record<string, string>,
      replica,
      pid: child.pid ?? 0,
      log,
      kill: (signal) => child.kill(signal),
      hasEnded: () => hasEnded(child),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Two servers that start at one time. Where one does not, the other is stopped. */
export async function both(one: Promise<Server>, other: Promise<Server>): Promise<[Server, Server]> {
  try {
    return await Promise.all([one, other]);
  } catch (error) {
    for (const each of await Promise.allSettled([one, other])) {
      if (each.status === 'fulfilled') await each.value.stop();
    }
    throw error;
  }
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { text: line };
  }
}
