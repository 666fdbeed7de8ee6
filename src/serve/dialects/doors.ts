import type { Express } from 'express';
import type { Service } from '../../schedule/service.ts';
import { ServiceError } from '../../result/errors.ts';
import { errorHandler, sendError } from '../errors.ts';
import { guarded } from '../front.ts';
import { jsonBody } from '../json.ts';
import { mcpOverHttp } from '../mcp-http.ts';
import type { Behind, Dialect } from './dialect.ts';

/** The door of one dialect, for a port of its own. */
export function dialectApp(
  dialect: Dialect,
  behind: Behind,
  service: Pick<Service, 'cancelRequest'>,
): { app: Express; close(): Promise<void> } {
  const { settings, log } = behind;
  const { routes, mcp } = dialect.open(behind);
  const app = guarded(settings, { strict: true });
  const needsSessions = mcp?.sessions !== undefined;
  const endpoint = mcp && mcpOverHttp(mcp.factory, service, behind.callerOf, log, { ...mcp, needsSessions });
  if (mcp?.sessions) app.delete(mcp.paths, mcp.sessions.leave);
  if (mcp && endpoint) app.all(mcp.paths, jsonBody(settings), endpoint.route);
  if (routes) app.use(routes);
  app.use((req, res) => {
    sendError(res, new ServiceError('not_found', `There is nothing at ${req.method} ${req.path}.`));
  });
  app.use(errorHandler(log, mcp?.paths ?? []));
  return { app, close: async () => endpoint?.close() };
}
