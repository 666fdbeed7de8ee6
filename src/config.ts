import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { PoolSettings } from './schedule/kind.ts';
import { settings } from './settings.ts';

export type Config = Omit<z.infer<typeof settings>, 'pools'> & { pools: PoolSettings[] };

const MiB = 1_048_576;

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

/** What programs go by that is no setting of this one. */
export function surroundings(environment: NodeJS.ProcessEnv = process.env) {
  return {
    searchPath: (environment.PATH ?? '').split(':').filter((folder) => folder.startsWith('/')),
    /** File with the certificates to trust instead of the system's, empty for those. */
    certificates: environment.SSL_CERT_FILE ?? '',
  };
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
    ['environmentMb', 'environmentsMb'],
    ['sessionIdleSeconds', 'sessionMaxAgeSeconds'],
    // An artifact of a session is there as long as the session.
    ['sessionMaxAgeSeconds', 'artifactMaxAgeSeconds'],
  ] as const;
  const faults = pairs
    .filter(([low, high]) => config[low] > config[high])
    .map(([low, high]) => `${low}: ${config[low]} is more than ${high}, which is ${config[high]}`);
  if (config.inputBytes > config.workspaceMb * MiB) {
    faults.push(
      `inputBytes: ${config.inputBytes} is more than workspaceMb holds, which is ${config.workspaceMb}`,
    );
  }
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
