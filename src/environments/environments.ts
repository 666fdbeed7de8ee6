import { newExecutionId } from '../request/execution-id.ts';
import { ServiceError } from '../result/errors.ts';
import { type Backend, type EnvironmentRecords, SandboxLost } from '../schedule/backend.ts';
import type { Environment } from '../schedule/run.ts';
import { build } from './build.ts';
import { createFailures } from './failures.ts';
import { createFacts, type RunProgram } from './facts.ts';
import { environmentKey, type ImageFacts } from './key.ts';
import { createKnown, stampSeconds } from './known.ts';
import type { Built } from './outcome.ts';
import { createPlaces } from './places.ts';
import { planEvictions, type Room } from './plan.ts';
import { runProgram } from './program.ts';
import { type Asker, createShared } from './shared.ts';

/** Where a sandbox sees the volume of environments. */
const root = '/environments';

/** Of the 1 MiB that a ConfigMap may hold. */
const recordCharacters = 700_000;

/** Between the last use that is on record and the eviction, beside what a run may take. */
const slackSeconds = 120;

const factsSeconds = 30;
const MiB = 1_048_576;

export interface EnvironmentSettings {
  image: string;
  runtimeClass: string;
  defaultCpu: number;
  maxCpu: number;
  defaultMemoryMb: number;
  maxTimeoutSeconds: number;
  startTimeoutSeconds: number;
  packageIndex: string;
  packagesDenied: readonly string[];
  environmentMb: number;
  environmentsMb: number;
  environmentMaxAgeSeconds: number;
  buildSeconds: number;
  buildMemoryMb: number;
}

export interface EnvironmentEvents {
  /** A build has ended; `outcome` is `built`, `existing`, or a ServiceError's code. */
  built(key: string, outcome: string, seconds: number): void;
  /** Environments make way for another. */
  evicted(keys: string[]): void;
  /** What is there could not be put on record. */
  unrecorded(key: string, error: unknown): void;
}

/** Whoever asks for an environment. */
export interface PrepareOptions extends Asker {
  /** The image that it is for, if not that of the settings. */
  image?: string;
}

export interface Prepared extends Environment {
  /** ISO 8601: another time under the same key is another build. */
  created: string;
}

/** Folders of packages, made for lists of requirements and shared by all runs. */
export interface Environments {
  /**
   * The environment of these requirements, which are normalised; builds it where there is none. Throws ServiceError, and the
   * signal's reason.
   */
  prepare(requirements: readonly string[], options: PrepareOptions): Promise<Prepared>;
  /** A sandbox did not find it: it is not there, whatever is on record. */
  lost(key: string): Promise<void>;
  /** What the image has by itself. Throws ServiceError, and the signal's reason. */
  facts(options: PrepareOptions): Promise<ImageFacts>;
  /** Ends all builds. */
  close(): Promise<void>;
}

type EnvironmentBackend = Pick<Backend, 'name' | 'open' | 'find' | 'cancel' | 'environments'>;

export function createEnvironments(
  backend: EnvironmentBackend,
  settings: EnvironmentSettings,
  events: EnvironmentEvents,
): Environments {
  const { image: usualImage, runtimeClass } = settings;
  const records = backend.environments;
  const known = records && createKnown(records, events.unrecorded);
  const facts = createFacts(sandboxPrograms(backend, settings));
  const builds = createShared<Built>(createPlaces('environments are being built', settings.buildSeconds));
  const failures = createFailures();
  const lost = new Set<string>();

  async function make(
    store: EnvironmentRecords,
    key: string,
    requirements: readonly string[],
    image: string,
    signal: AbortSignal,
    say: (line: string) => void,
  ): Promise<Built> {
    const began = performance.now();
    const ended = (outcome: string) => {
      events.built(key, outcome, (performance.now() - began) / 1000);
    };
    try {
      const { evict, recorded } = await makeRoom(store, settings, signal);
      if (evict.length > 0) events.evicted(evict);
      const request = {
        root,
        key,
        requirements,
        index: settings.packageIndex,
        denied: settings.packagesDenied,
        evict,
        recorded,
        max_bytes: settings.environmentMb * MiB,
        seconds: settings.buildSeconds,
      };
      const kind = { image, runtimeClass };
      const built = await build(backend, request, kind, lost.has(key), settings, signal, say);
      lost.delete(key);
      await keep(built);
      ended(built.existing ? 'existing' : 'built');
      return built;
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'build_failed') failures.add(key, error);
      ended(error instanceof ServiceError ? error.code : 'internal');
      throw error;
    }
  }

  async function keep(built: Built): Promise<void> {
    const record = ({ requirements, bytes, created, shadows }: Omit<Built, 'existing' | 'unrecorded'>) => ({
      requirements,
      bytes,
      created,
      shadows,
    });
    await known?.add(built.key, { ...record(built), used: new Date().toISOString() });
    for (const found of built.unrecorded) {
      await records
        ?.put(found.key, { ...record(found), used: found.created }, AbortSignal.timeout(10_000))
        .catch((error: unknown) => {
          events.unrecorded(found.key, error);
        });
    }
  }

  return {
    async prepare(requirements, { image = usualImage, ...asker }) {
      if (!records || !known) throw unavailable(backend.name);
      const key = environmentKey({
        facts: await facts.of(image, asker),
        requirements,
        index: settings.packageIndex,
        denied: settings.packagesDenied,
      });
      const prepared = ({ shadows, created }: Pick<Built, 'shadows' | 'created'>) => ({
        key,
        path: `${root}/${key}`,
        shadows,
        created,
      });
      const found = await known.find(key, asker.signal);
      if (found) return prepared(found);
      // Another replica may have built meanwhile what failed here.
      const failure = failures.of(key);
      if (failure) throw failure;
      return prepared(
        await builds.ask(key, (signal, say) => make(records, key, requirements, image, signal, say), asker),
      );
    },
    async lost(key) {
      if (!records || !known) return;
      known.remove(key);
      lost.add(key);
      const signal = AbortSignal.timeout(10_000);
      await forget(records, () => [key], signal).catch((error: unknown) => {
        events.unrecorded(key, error);
      });
    },
    facts: ({ image = usualImage, ...asker }) => facts.of(image, asker),
    async close() {
      await Promise.all([builds.close(), facts.close()]);
    },
  };
}

/** Forgets what another environment needs the place of; the build then takes it away. */
async function makeRoom(
  store: EnvironmentRecords,
  settings: EnvironmentSettings,
  signal: AbortSignal,
): Promise<{ evict: string[]; recorded: string[] }> {
  const room: Room = {
    bytes: settings.environmentsMb * MiB,
    reserved: settings.environmentMb * MiB,
    recordCharacters,
    maxAgeSeconds: settings.environmentMaxAgeSeconds,
    inUseSeconds: stampSeconds + settings.maxTimeoutSeconds + slackSeconds,
  };
  return forget(store, (records) => planEvictions(records, Date.now(), room), signal);
}

/** Takes from the records what `choose` picks of them, if nobody changes them meanwhile. */
async function forget(
  store: EnvironmentRecords,
  choose: (records: Awaited<ReturnType<EnvironmentRecords['all']>>['records']) => string[],
  signal: AbortSignal,
): Promise<{ evict: string[]; recorded: string[] }> {
  for (let tries = 0; tries < 3; tries += 1) {
    const { records, version } = await store.all(signal);
    const recorded = [...records.keys()];
    const evict = choose(records).filter((key) => records.has(key));
    if (evict.length === 0 || (await store.forget(evict, version, signal))) return { evict, recorded };
  }
  // Others are at it too; the next build makes room.
  const { records } = await store.all(signal);
  return { evict: [], recorded: [...records.keys()] };
}

/** Runs programs of this server's own, each in a sandbox made for it. They throw ServiceError, and the signal's reason. */
export function sandboxPrograms(backend: Pick<Backend, 'open'>, settings: EnvironmentSettings): RunProgram {
  const { runtimeClass, defaultCpu: cpu, defaultMemoryMb: memory_mb } = settings;
  return async (image, program, signal) => {
    const limits = { seconds: factsSeconds, cpu, memory_mb };
    const claim = { executionId: newExecutionId(), caller: '', requestKey: undefined, limits };
    const kind = { image, runtimeClass, cpu, memory_mb };
    const spec = { kind, pool: undefined, claim, lifeSeconds: factsSeconds, build: false };
    try {
      return await runProgram(backend, spec, program, signal);
    } catch (error) {
      if (!(error instanceof SandboxLost)) throw error;
      const message = `The sandbox that lists packages was lost: ${error.message}`;
      throw new ServiceError('sandbox_failed', message, { cause: error });
    }
  };
}

function unavailable(backend: Backend['name']): ServiceError {
  const how =
    backend === 'kubernetes'
      ? 'environmentsClaim names no volume for them'
      : 'their folder (environmentsFolder) cannot be made';
  return new ServiceError('environments_unavailable', `This server has no environments: ${how}.`);
}
