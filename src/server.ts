import { startApp, type App } from './app.ts';
import { artifactUrl } from './artifacts/id.ts';
import type { Config } from './config.ts';
import { logFailure } from './serve/errors.ts';
import { doorsApp, listen, probesApp } from './serve/http.ts';
import { createMcpFactory } from './serve/mcp.ts';

/** The app with its doors open. */
export interface Server {
  app: App;
  /** Base of MCP (/mcp) and REST. */
  url: string;
  probesUrl: string;
  close(): Promise<void>;
}

export async function startServer(config: Config, signal: AbortSignal): Promise<Server> {
  const locate = (id: string) => artifactUrl(config.publicUrl, id);
  const app = await startApp(config, locate, signal);
  const factory = createMcpFactory(app.service, config, { ...app.offers, locate }, (where, error) => {
    logFailure(app.log, where, error);
  });
  const doors = doorsApp(app, factory, config, app.log);
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
