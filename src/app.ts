import { createQueue } from './admission/queue.ts';
import type { Config } from './config.ts';
import { createLog, type Logger } from './observe/log.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import type { Backend } from './schedule/backend.ts';
import { createSandboxes } from './schedule/sandboxes.ts';
import { ServiceError } from './result/errors.ts';
import { createService, type Service } from './schedule/service.ts';
import { chooseBackend } from './sandbox/choose.ts';
import { doorsApp, listen, probesApp } from './serve/http.ts';
import { createMcpFactory } from './serve/mcp.ts';

/** Everything that runs behind the doors. */
export interface App {
  service: Service;
  backend: Backend;
  /** Why this backend, and how to get the other. */
  why: string;
  metrics: Metrics;
  log: Logger;
  /** Finishes or cancels what goes on, and leaves nothing behind. */
  close(): Promise<void>;
}

/** Builds the service. Throws ServiceError where it cannot work here. */
export async function startApp(config: Config, signal: AbortSignal): Promise<App> {
  const log = createLog(config.logLevel);
  const queue = createQueue(config);
  const metrics = createMetrics(queue);
  const { backend, why } = await chooseBackend(
    config,
    {
      apiCall: metrics.apiCall,
      podFailed: metrics.podFailed,
      unrecorded: (execution_id, error) => {
        log.warn({ execution_id, why: String(error) }, 'the Job of a run could not be labelled as its own');
      },
      reaped: (what) => {
        log.warn({ what }, 'reaped');
      },
    },
    signal,
  );
  const sandboxes = createSandboxes(backend, config, {
    claimed: metrics.claimed,
    refilled: metrics.refilled,
    failed: (pool, error) => {
      metrics.refillFailed(pool);
      log.warn({ pool, why: String(error) }, 'a sandbox of the pool was lost');
    },
    notPreloaded: (pool, failed) => {
      log.warn({ pool, failed }, 'modules of the pool cannot be imported');
    },
  });
  metrics.watchPools(sandboxes.states);
  const service = createService(
    {
      policy: config,
      queue,
      sandboxes,
      backend,
      inputs: () => [] as never,
      environments: {
        prepare: () =>
          Promise.reject(new ServiceError('environments_unavailable', 'There are no environments here.')),
        lost: () => Promise.resolve(),
      },
      collect: () => ({ add: () => Promise.resolve(), finish: () => Promise.resolve([]) }),
      hints: () => Promise.resolve([]),
      artifactsOf: () => Promise.resolve([]),
    },
    { metrics, log },
  );
  return {
    service,
    backend,
    why,
    metrics,
    log,
    async close() {
      sandboxes.drain();
      await service.drain(config.drainSeconds);
      await sandboxes.close();
      await backend.close();
    },
  };
}

/** The app with its doors open. */
export interface Server {
  app: App;
  /** Base of MCP (/mcp) and REST. */
  url: string;
  probesUrl: string;
  close(): Promise<void>;
}

export async function startServer(config: Config, signal: AbortSignal): Promise<Server> {
  const app = await startApp(config, signal);
  const doors = doorsApp(app.service, createMcpFactory(app.service, config), config, app.log);
  const opened: { close(): Promise<void> }[] = [];
  try {
    const probes = await listen(probesApp(app.service, app.metrics), config.probeHost, config.probePort);
    opened.push(probes);
    const front = await listen(doors.app, config.host, config.port);
    opened.push(front);
    return {
      app,
      url: front.url,
      probesUrl: probes.url,
      async close() {
        await app.close();
        await doors.close();
        await Promise.all(opened.map((server) => server.close()));
      },
    };
  } catch (error) {
    await Promise.all([app.close(), ...opened.map((server) => server.close())]);
    throw error;
  }
}
