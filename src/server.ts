import { startApp, type App } from './app.ts';
import { artifactUrl } from './artifacts/id.ts';
import { type Config, ConfigError } from './config.ts';
import { executionRequest } from './request/execution.ts';
import { callerBy } from './serve/caller.ts';
import { chooseDialects } from './serve/dialects/all.ts';
import { dialectApp } from './serve/dialects/doors.ts';
import type { Behind } from './serve/dialects/dialect.ts';
import { logFailure } from './serve/errors.ts';
import { doorsApp, listen, probesApp } from './serve/http.ts';
import { createMcpFactory } from './serve/mcp.ts';

/** The app with its doors open. */
export interface Server {
  app: App;
  /** Base of MCP (/mcp) and REST. */
  url: string;
  probesUrl: string;
  /** Bases of the dialects by name. */
  dialects: Record<string, string>;
  close(): Promise<void>;
}

export async function startServer(config: Config, signal: AbortSignal): Promise<Server> {
  const { chosen, faults } = chooseDialects(config.dialects, [
    { setting: 'port', port: config.port },
    { setting: 'probePort', port: config.probePort },
  ]);
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  const locate = (id: string) => artifactUrl(config.publicUrl, id);
  const app = await startApp(config, locate, signal);
  const factory = createMcpFactory({ ...app, offers: { ...app.offers, locate } }, config, (where, error) => {
    logFailure(app.log, where, error);
  });
  const doors = doorsApp(app, factory, config, app.log);
  const opened: { close(): Promise<void> }[] = [];
  const closing = [doors.close];
  try {
    const probes = await listen(probesApp(app.service, app.metrics), config.probeHost, config.probePort);
    opened.push(probes);
    const front = await listen(doors.app, config.host, config.port);
    opened.push(front);
    const dialects: Record<string, string> = {};
    for (const { dialect, port } of chosen) {
      const door = dialectApp(dialect, behindOf(app, config), app.service);
      closing.push(door.close);
      const listening = await listen(door.app, config.host, port);
      opened.push(listening);
      dialects[dialect.name] = listening.url;
    }
    return {
      app,
      url: front.url,
      probesUrl: probes.url,
      dialects,
      async close() {
        await app.close();
        await Promise.all(closing.map((close) => close()));
        await Promise.all(opened.map((server) => server.close()));
      },
    };
  } catch (error) {
    await Promise.all([
      app.close(),
      ...closing.map((close) => close()),
      ...opened.map((server) => server.close()),
    ]);
    throw error;
  }
}

/** What dialects translate into. */
export function behindOf(app: App, config: Config): Behind {
  const { service, sessions, shelf, offers, piston, pistonPlaces, log } = app;
  return {
    service,
    requestSchema: executionRequest(config),
    sessions,
    shelf,
    offers,
    piston,
    pistonPlaces,
    log,
    settings: config,
    callerOf: callerBy(config.callerHeader),
  };
}
