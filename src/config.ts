import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import type { PoolSettings } from './schedule/kind.ts';

const seconds = z.number().positive().max(86_400);
const count = z.number().int().positive();
const megabytes = z.number().int().min(16).max(1_048_576);
const port = z.number().int().min(0).max(65_535);
const MiB = 1_048_576;

/** A pool as it is configured: what it leaves out is as for other runs. */
const pool = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, 40 at most'),
  image: z.string().min(1).optional(),
  runtimeClass: z.string().optional(),
  cpu: z.number().positive().optional(),
  memoryMb: megabytes.optional(),
  preload: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'the name of a module')
        .max(100),
    )
    .max(64)
    .default([]),
  min: z.number().int().min(0).max(1000),
  max: z.number().int().min(1).max(1000),
});

/** Every setting: name, default, meaning. The environment variable of `fooBar` is `VIVARIUM_FOO_BAR`. */
export const settings = z.strictObject({
  backend: z
    .enum(['auto', 'kubernetes', 'local'])
    .default('auto')
    .describe(
      'Where code runs. `auto`: the current kube context if it answers and has the sandbox namespace, else local.',
    ),

  host: z.string().min(1).default('127.0.0.1').describe('Address that MCP and REST listen on.'),
  port: port.default(8000).describe('Port of MCP and REST.'),
  probeHost: z.string().min(1).default('127.0.0.1').describe('Address of /healthz, /readyz and /metrics.'),
  probePort: port.default(8001).describe('Port of /healthz, /readyz and /metrics.'),
  allowedHosts: z
    .array(z.string().min(1))
    .default(['localhost', '127.0.0.1', '[::1]'])
    .describe('Host names (and names in Origin) that requests may carry; `*` allows all.'),

  namespace: z.string().min(1).default('vivarium-sandboxes').describe('Namespace of the sandboxes.'),
  image: z.string().min(1).default('vivarium-sandbox:0.1.0').describe('Image of the sandboxes.'),
  imagePullPolicy: z
    .enum(['IfNotPresent', 'Always', 'Never'])
    .default('IfNotPresent')
    .describe('When nodes pull that image.'),
  imagePullSecrets: z.array(z.string().min(1)).default([]).describe('Names of its pull secrets.'),
  runtimeClass: z
    .string()
    .default('')
    .describe('RuntimeClass of the sandboxes (gVisor, Kata), empty for none.'),
  userNamespaces: z
    .boolean()
    .default(true)
    .describe('Run each sandbox in a user namespace of its own (`hostUsers: false`).'),
  nodeSelector: z
    .record(z.string(), z.string())
    .default({})
    .describe('Node labels that sandboxes need (JSON).'),
  tolerations: z
    .array(z.record(z.string(), z.union([z.string(), z.number()])))
    .default([])
    .describe('Tolerations of the sandboxes (JSON).'),
  replicaName: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, 52 at most')
    .default(() => defaultReplicaName())
    .describe('Name of this server among its replicas. Default: the host name and the process number.'),

  defaultTimeoutSeconds: seconds.default(30).describe('Time limit of a run that names none.'),
  maxTimeoutSeconds: seconds.default(300).describe('Longest time limit; longer ones are lowered to it.'),
  defaultCpu: z.number().positive().default(1).describe('CPUs of a run that names none.'),
  maxCpu: z.number().positive().default(2).describe('Most CPUs; more are lowered to it.'),
  defaultMemoryMb: megabytes.default(512).describe('Memory (MiB) of a run that names none.'),
  maxMemoryMb: megabytes.default(2048).describe('Most memory (MiB); more is lowered to it.'),
  cpuReserved: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.25)
    .describe(
      'Part of its CPUs that a sandbox reserves on its node. The rest it has while others leave it: many wait, few compute.',
    ),
  workspaceMb: megabytes
    .default(256)
    .describe('Size (MiB) of /workspace and of /tmp, in memory: what is written there counts as memory.'),
  maxProcesses: count.default(128).describe('Most processes and threads of a run.'),
  maxCodeBytes: count.default(MiB).describe('Longest code (bytes).'),
  maxStdinBytes: count.default(MiB).describe('Longest stdin (bytes).'),
  outputBytes: count
    .default(MiB)
    .describe(
      'Output kept of each stream (bytes). Above 3 MiB, raise the kubelet’s containerLogMaxSize too.',
    ),

  pools: z
    .array(pool)
    .default([])
    .describe(
      'Sandboxes that are ready before a request comes (JSON): `name`, `min`, `max`, and, where they differ from other runs, `image`, `runtimeClass`, `cpu`, `memoryMb`; `preload` lists the modules that they have imported.',
    ),
  poolMaxAgeSeconds: seconds
    .min(30)
    .default(3600)
    .describe('How long a sandbox of a pool may wait for a run before another takes its place.'),
  refillConcurrency: count
    .default(8)
    .describe('Sandboxes that start at one time on this server to refill its pools.'),

  concurrency: count.default(8).describe('Runs at one time on this server.'),
  queueLength: z.number().int().min(0).default(64).describe('Requests that may wait for a run to end.'),
  queueWaitSeconds: seconds.default(30).describe('Longest wait in that queue.'),
  startTimeoutSeconds: seconds.default(60).describe('Longest time from creating a Job to its code running.'),
  unschedulableSeconds: seconds
    .default(5)
    .describe('How long a pod may fit no node at all. Raise it where nodes are added on demand.'),
  retentionSeconds: z
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('How long the Job of an ended run is kept, so that its result can be asked for again.'),
  drainSeconds: seconds
    .default(25)
    .describe('At shutdown, how long runs may go on before they are cancelled.'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least level of the log (JSON lines on stderr).'),
});

export type Config = Omit<z.infer<typeof settings>, 'pools'> & { pools: PoolSettings[] };

/** A setting is wrong: the server does not start. The message has one line for each fault. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Reads the file that VIVARIUM_CONFIG names (JSON), then the environment over it. Throws ConfigError. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const fromFile = environment.VIVARIUM_CONFIG ? readConfigFile(environment.VIVARIUM_CONFIG) : {};
  const parsed = settings.safeParse({ ...fromFile, ...fromEnvironment(environment) });
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues
        .map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`)
        .join('\n'),
    );
  }
  const config = complete(parsed.data);
  checkTogether(config);
  return config;
}

/** Fills in what pools leave out. */
export function complete(parsed: z.infer<typeof settings>): Config {
  const { image, runtimeClass, defaultCpu: cpu, defaultMemoryMb: memoryMb } = parsed;
  const pools = parsed.pools.map((given) => ({
    ...given,
    image: given.image ?? image,
    runtimeClass: given.runtimeClass ?? runtimeClass,
    cpu: given.cpu ?? cpu,
    memoryMb: given.memoryMb ?? memoryMb,
  }));
  return { ...parsed, pools };
}

/** The environment variable of a setting: `fooBar` -> `VIVARIUM_FOO_BAR`. */
export function variableName(setting: string): string {
  return `VIVARIUM_${setting.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const names = new Map(Object.keys(settings.shape).map((setting) => [variableName(setting), setting]));
  const found: Record<string, unknown> = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('VIVARIUM_') || variable === 'VIVARIUM_CONFIG' || text === undefined) continue;
    const setting = names.get(variable);
    if (setting === undefined) {
      throw new ConfigError(`${variable}: no such setting. Settings: ${[...names.keys()].join(', ')}`);
    }
    found[setting] = parseVariable(setting as keyof Config, text);
  }
  return found;
}

/** Text where the setting takes text; else JSON, or a comma-separated list. */
function parseVariable(setting: keyof Config, text: string): unknown {
  if (settings.shape[setting].safeParse(text).success) return text;
  try {
    return JSON.parse(text);
  } catch {
    const list = text.split(',').map((item) => item.trim());
    return settings.shape[setting].safeParse(list).success ? list : text;
  }
}

function readConfigFile(path: string): object {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
  } catch (error) {
    throw new ConfigError(
      `VIVARIUM_CONFIG=${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw new ConfigError(`VIVARIUM_CONFIG=${path}: the file must hold one JSON object`);
}

function checkTogether(config: Config): void {
  const pairs = [
    ['defaultTimeoutSeconds', 'maxTimeoutSeconds'],
    ['defaultCpu', 'maxCpu'],
    ['defaultMemoryMb', 'maxMemoryMb'],
    ['workspaceMb', 'maxMemoryMb'],
  ] as const;
  const faults = pairs
    .filter(([low, high]) => config[low] > config[high])
    .map(([low, high]) => `${low}: ${config[low]} is more than ${high}, which is ${config[high]}`);
  faults.push(...config.pools.flatMap((given) => faultsOf(given, config)));
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
}

function faultsOf(given: PoolSettings, { pools, maxCpu, maxMemoryMb }: Config): string[] {
  const { name, min, max, cpu, memoryMb } = given;
  const about = `pools: ${name}`;
  return [
    pools.find((other) => other.name === name) !== given && `${about}: there are two of this name`,
    min > max && `${about}: min ${min} is more than max ${max}`,
    cpu > maxCpu && `${about}: cpu ${cpu} is more than maxCpu, which is ${maxCpu}`,
    memoryMb > maxMemoryMb &&
      `${about}: memoryMb ${memoryMb} is more than maxMemoryMb, which is ${maxMemoryMb}`,
  ].filter((fault) => fault !== false);
}

function defaultReplicaName(): string {
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${host || 'vivarium'}-${process.pid}`;
}
