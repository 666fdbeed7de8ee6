import { createQueue, type Queue } from './admission/queue.ts';
import { openBlobs } from './artifacts/open.ts';
import { createCollector, describeArtifact } from './artifacts/collect.ts';
import { createArtifactStore, type ArtifactStore } from './artifacts/store.ts';
import { createShelf, type Shelf } from './artifacts/shelf.ts';
import { keepSwept } from './artifacts/sweep.ts';
import type { Config } from './config.ts';
import { createEnvironments, sandboxPrograms } from './environments/environments.ts';
import { createPackageLists } from './environments/packages.ts';
import { readInputs } from './inputs/inputs.ts';
import { createLog, type Logger, why } from './observe/log.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { fileSources, pathOf } from './request/files.ts';
import { isPython } from './request/language.ts';
import { normalise, requirementList } from './request/requirements.ts';
import { hintsFor, missingModule } from './result/hints.ts';
import { createPiston } from './piston/client.ts';
import type { Piston } from './piston/piston.ts';
import type { Backend } from './schedule/backend.ts';
import type { PoolEvents } from './schedule/pool.ts';
import type { Stages } from './schedule/run.ts';
import { createSandboxes } from './schedule/sandboxes.ts';
import { createService, type Service } from './schedule/service.ts';
import { chooseBackend } from './sandbox/choose.ts';
import { createPistonSandboxes } from './sandbox/piston.ts';
import { unavailable } from './serve/artifacts.ts';
import type { Offers } from './serve/offers.ts';
import { artifactReader } from './serve/read-artifact.ts';
import { runtimeLister } from './serve/runtimes.ts';
import { openSessions } from './sessions/open.ts';
import type { Sessions } from './sessions/sessions.ts';

/** Everything that runs behind the doors. */
export interface App {
  service: Service;
  sessions: Sessions;
  artifacts: ArtifactStore;
  shelf: Shelf;
  /** Undefined where none is configured. */
  piston: Piston | undefined;
  pistonPlaces: Pick<Queue, 'enter'>;
  /** What MCP serves beside runs; where else an artifact can be had, its door knows. */
  offers: Omit<Offers, 'locate'>;
  backend: Backend;
  /** Why this backend, and how to get the other. */
  why: string;
  metrics: Metrics;
  log: Logger;
  /** Finishes or cancels what goes on, and leaves nothing behind. */
  close(): Promise<void>;
}

/** Where callers get an artifact by its id; null where they cannot. */
export type Locate = (id: string) => string | null;

const sweepSeconds = 300;
const factsMs = 10_000;

/** Builds the service. Throws ServiceError where it cannot work here. */
export async function startApp(config: Config, locate: Locate, signal: AbortSignal): Promise<App> {
  const log = createLog(config.logLevel);
  const queue = createQueue(config);
  const pistonPlaces = createQueue({ ...config, concurrency: config.pistonConcurrency });
  const metrics = createMetrics(queue);
  const blobs = await openBlobs(config);
  const chosen = await chooseBackend(
    config,
    {
      apiCall: metrics.apiCall,
      podFailed: metrics.podFailed,
      unrecorded: (execution_id, error) => {
        log.warn({ execution_id, why: why(error) }, 'the Job of a run could not be labelled as its own');
      },
      reaped: (what) => {
        log.warn({ what }, 'reaped');
      },
    },
    signal,
  );
  const { backend } = chosen;
  const piston = config.pistonUrl === '' ? undefined : createPiston(config);
  if (piston) metrics.watchPiston(pistonPlaces);
  const poolEvents: PoolEvents = {
    claimed: metrics.claimed,
    refilled: metrics.refilled,
    failed: (pool, error) => {
      metrics.refillFailed(pool);
      log.warn({ pool, why: why(error) }, 'a sandbox of the pool was lost');
    },
    notPreloaded: (pool, failed) => {
      log.warn({ pool, failed }, 'modules of the pool cannot be imported');
    },
  };
  const sandboxes = createSandboxes(backend, config, poolEvents, piston && createPistonSandboxes(piston));
  metrics.watchPools(sandboxes.states);
  const artifacts = createArtifactStore(blobs, { maxAgeSeconds: config.artifactMaxAgeSeconds });
  const closing = new AbortController();
  const sweeping = keepSwept(
    blobs,
    { maxAgeSeconds: config.artifactMaxAgeSeconds, maxBytes: config.artifactStoreMb * 1_048_576 },
    sweepSeconds,
    {
      removed: (removal) => {
        metrics.artifactsRemoved(removal.reason, removal.artifacts);
        log.info(removal, 'artifacts removed');
      },
      failed: (error) => {
        log.warn({ why: why(error) }, 'the artifact store could not be swept');
      },
    },
    closing.signal,
  );
  const environments = createEnvironments(backend, config, {
    built: (key, outcome, seconds) => {
      metrics.environmentBuilt(outcome, seconds);
      log.info({ key, outcome, seconds }, 'environment');
    },
    evicted: (keys) => {
      metrics.environmentsEvicted(keys.length);
      log.info({ keys }, 'environments evicted');
    },
    unrecorded: (key, error) => {
      log.warn({ key, why: why(error) }, 'an environment could not be recorded');
    },
  });
  const hasEnvironments = backend.environments !== undefined;
  const requirement = requirementList(config);
  const sessions = openSessions(backend, environments, config, {
    notExtended: (error) => {
      log.warn({ why: why(error) }, 'the life of a session could not be extended');
    },
    ended: (reason, seconds) => {
      metrics.sessionEnded(reason);
      log.info({ reason, seconds: Math.round(seconds) }, 'session');
    },
  });
  metrics.watchSessions(() => sessions.size);
  const stages: Stages = {
    policy: config,
    queueFor: ({ language }) => (isPython(language) ? queue : pistonPlaces),
    sandboxes,
    environments,
    sessions,
    inputs: (files, runSignal) => readInputs(fileSources(files), config, runSignal),
    collect: (run) =>
      createCollector(artifacts, {
        ...run,
        urlOf: locate,
        onFailure: (id, error) => {
          log.warn({ artifact: id, why: why(error) }, 'an artifact could not be kept');
        },
      }),
    async hints(request, result, runSignal) {
      const { files, requirements, language } = request;
      if (!isPython(language)) return [];
      const packagesOf = async (image: string) => {
        const asked = AbortSignal.any([runSignal, AbortSignal.timeout(factsMs)]);
        const facts = environments.facts({ signal: asked, onProgress: () => undefined, image });
        return facts.then(
          ({ packages }) => packages,
          () => undefined,
        );
      };
      const isMissing = missingModule(result.stderr) !== undefined;
      return hintsFor({
        result,
        mounts: files.map((file) => pathOf(file) ?? ''),
        requirements,
        packages: isMissing ? await packagesOf(sandboxes.imageFor(request)) : undefined,
        inSession: request.session_id !== undefined,
        mayRequire: (name) => hasEnvironments && requirement.safeParse([name]).success,
      });
    },
  };
  const service = createService(
    {
      ...stages,
      sessions,
      queues: [queue, pistonPlaces],
      backend,
      async artifactsOf(executionId, caller, findSignal) {
        const found = await artifacts.list(executionId, caller, findSignal).catch(unavailable);
        return found.map((artifact) => describeArtifact(artifact, locate));
      },
    },
    { metrics, log },
  );
  const packages = createPackageLists(environments, sandboxPrograms(backend, config), config.image);
  return {
    service,
    sessions,
    artifacts,
    shelf: createShelf(blobs),
    piston,
    pistonPlaces,
    offers: {
      hasEnvironments,
      readArtifact: artifactReader(artifacts),
      async listPackages(requirements, options) {
        const asked = normalise(requirements);
        const found = await packages.of(asked, options);
        return { python: (await environments.facts(options)).python, packages: found };
      },
      listRuntimes: runtimeLister(async (options) => (await environments.facts(options)).python, piston),
    },
    ...chosen,
    metrics,
    log,
    async close() {
      sandboxes.drain();
      sessions.drain();
      const drained = service.drain(config.drainSeconds);
      // Runs for clients of dialects are no executions of the service.
      const patience = setTimeout(() => void piston?.close(), config.drainSeconds * 1000);
      await drained;
      clearTimeout(patience);
      await sessions.close();
      closing.abort();
      await Promise.all([
        sweeping,
        environments.close(),
        packages.close(),
        sandboxes.close(),
        piston?.close(),
      ]);
      await backend.close();
    },
  };
}
