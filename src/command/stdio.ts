import type { McpServerFactory } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { once } from 'node:events';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { type App, startApp } from '../app.ts';
import { behindOf } from '../server.ts';
import { dialectOf, dialects } from '../serve/dialects/all.ts';
import { logFailure } from '../serve/errors.ts';
import { createMcpFactory } from '../serve/mcp.ts';
import { artifactPath } from './artifact-path.ts';
import { interrupted } from './signals.ts';

/** Serves one client over stdin and stdout until it closes stdin, or a signal comes. `dialect` names whose tools it finds. */
export async function stdio(dialect?: string): Promise<number> {
  const config = loadConfig();
  const factoryOf = dialect === undefined ? nativeTools : toolsOf(dialect);
  const interrupt = interrupted();
  // There is no port, and so no URL; over the connection artifacts can be read.
  const app = await startApp(config, () => null, interrupt.signal);
  try {
    const connection = serveStdio(factoryOf(app, config), {
      onerror: (error) => {
        app.log.debug({ why: error.message }, 'mcp');
      },
    });
    app.log.info({ backend: app.backend.name, why: app.why }, 'serving on stdio');
    await Promise.race([once(process.stdin, 'end'), once(process.stdin, 'close'), interrupt.received]);
    await connection.close();
    return 0;
  } finally {
    await app.close();
    interrupt.forget();
    process.stdin.destroy();
  }
}

type FactoryOf = (app: App, config: Config) => McpServerFactory;

const nativeTools: FactoryOf = (app, config) => {
  const locate = (id: string) => artifactPath(config.artifactStore, id);
  return createMcpFactory({ ...app, offers: { ...app.offers, locate } }, config, (where, error) => {
    logFailure(app.log, where, error);
  });
};

/** The tools of a dialect. Throws ConfigError where it has none. */
function toolsOf(name: string): FactoryOf {
  const dialect = dialectOf(name);
  if (!dialect) {
    const names = dialects.map((each) => each.name).join(', ');
    throw new ConfigError(`--dialect ${name}: there is no such dialect; there are ${names}`);
  }
  return (app, config) => {
    const { mcp } = dialect.open(behindOf(app, config));
    if (!mcp) throw new ConfigError(`--dialect ${name}: it is no dialect of MCP, and has no tools`);
    return mcp.factory;
  };
}
