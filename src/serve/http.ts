import type { McpServerFactory } from '@modelcontextprotocol/server';
import express, { type Express } from 'express';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { type Logger, why } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { RequestSettings } from '../request/execution.ts';
import type { Service } from '../schedule/service.ts';
import { ServiceError } from '../result/errors.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import { artifactRoutes } from './artifacts.ts';
import { callerBy } from './caller.ts';
import { errorHandler, sendError } from './errors.ts';
import { type FrontSettings, guarded } from './front.ts';
import { jsonBody } from './json.ts';
import { mcpOverHttp } from './mcp-http.ts';
import type { Offers } from './offers.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SessionSettings } from '../request/session.ts';
import { packageRoutes } from './packages.ts';
import { restRoutes } from './rest.ts';
import { runtimeRoutes } from './runtimes.ts';
import { sessionFileRoutes, sessionRoutes } from './sessions-rest.ts';

export interface HttpSettings extends RequestSettings, SessionSettings, FrontSettings {
  callerHeader: string;
}

/** What the doors open to. */
export interface Behind {
  service: Service;
  sessions: Sessions;
  artifacts: Pick<ArtifactStore, 'get'>;
  offers: Pick<Offers, 'listPackages' | 'listRuntimes'>;
}

/** MCP and REST on one port. */
export function doorsApp(behind: Behind, factory: McpServerFactory, settings: HttpSettings, log: Logger) {
  const { service, sessions, artifacts, offers } = behind;
  const callerOf = callerBy(settings.callerHeader);
  const app = guarded(settings);
  app.use(sessionFileRoutes(sessions, settings, callerOf));
  app.use(jsonBody(settings));
  const mcp = mcpOverHttp(factory, service, callerOf, log);
  app.all('/mcp', mcp.route);
  app.use(restRoutes(service, settings, callerOf));
  app.use(sessionRoutes(sessions, settings, callerOf));
  app.use(runtimeRoutes(offers.listRuntimes, callerOf));
  app.use(packageRoutes(offers.listPackages, settings, callerOf));
  app.use(
    artifactRoutes(artifacts, callerOf, {
      broken: (id, error) => {
        log.warn({ artifact: id, why: why(error) }, 'an artifact could not be read to its end');
      },
    }),
  );
  app.use((req, res) => {
    sendError(res, new ServiceError('not_found', `There is nothing at ${req.method} ${req.path}.`));
  });
  app.use(errorHandler(log));
  return { app, close: mcp.close };
}

/** Liveness, readiness and metrics, on a port of their own: probes carry any Host, and ingresses do not expose it. */
export function probesApp(service: Service, metrics: Metrics): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.get('/healthz', (_req, res) => {
    res.type('text').send('ok\n');
  });
  app.get('/readyz', (_req, res) => {
    const ready = service.ready();
    res
      .status(ready.ok ? 200 : 503)
      .type('text')
      .send(ready.ok ? 'ok\n' : `${ready.why}\n`);
  });
  app.get('/metrics', async (_req, res) => {
    res.set('content-type', metrics.contentType).send(await metrics.text());
  });
  return app;
}

/**
 * Clients and proxies keep idle connections for a minute, as a rule. Who sends on one as it is closed has lost the request, so
 * this end is the one that waits longer.
 */
const keepAliveTimeout = 75_000;

/** Listens. `url` names the port that it got. */
export async function listen(app: RequestListener, host: string, port: number) {
  const server = createServer({ keepAliveTimeout }, app);
  server.listen(port, host);
  await once(server, 'listening');
  return { url: urlOf(server, host), close: () => closeServer(server) };
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port.');
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

/** Lets answers that are on their way arrive, for a short time. */
async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  const haste = setTimeout(() => {
    server.closeAllConnections();
  }, 2000);
  server.close();
  await closed;
  clearTimeout(haste);
}
