import { loadConfig } from '../config.ts';
import { startServer } from '../server.ts';
import { interrupted } from './signals.ts';

/** Serves until SIGINT or SIGTERM, then drains. */
export async function serve(): Promise<number> {
  const config = loadConfig();
  const interrupt = interrupted();
  const server = await startServer(config, interrupt.signal);
  const { app, url, probesUrl, dialects } = server;
  app.log.info(
    { mcp: `${url}/mcp`, probes: probesUrl, dialects, backend: app.backend.name, why: app.why },
    'serving',
  );
  const signal = await interrupt.received;
  app.log.info({ signal, drain_seconds: config.drainSeconds }, 'draining');
  await server.close();
  app.log.info('stopped');
  interrupt.forget();
  return 0;
}
