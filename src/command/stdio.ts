import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { once } from 'node:events';
import { loadConfig } from '../config.ts';
import { startApp } from '../app.ts';
import { logFailure } from '../serve/errors.ts';
import { createMcpFactory } from '../serve/mcp.ts';
import { artifactPath } from './artifact-path.ts';
import { interrupted } from './signals.ts';

/** Serves one client over stdin and stdout until it closes stdin, or a signal comes. */
export async function stdio(): Promise<number> {
  const config = loadConfig();
  const interrupt = interrupted();
  const locate = (id: string) => artifactPath(config.artifactStore, id);
  // There is no port, and so no URL; over the connection artifacts can be read.
  const app = await startApp(config, () => null, interrupt.signal);
  const factory = createMcpFactory(app.service, config, { ...app.offers, locate }, (where, error) => {
    logFailure(app.log, where, error);
  });
  const connection = serveStdio(factory, {
    onerror: (error) => {
      app.log.debug({ why: error.message }, 'mcp');
    },
  });
  app.log.info({ backend: app.backend.name, why: app.why }, 'serving on stdio');
  await Promise.race([once(process.stdin, 'end'), once(process.stdin, 'close'), interrupt.received]);
  await connection.close();
  await app.close();
  interrupt.forget();
  process.stdin.destroy();
  return 0;
}
