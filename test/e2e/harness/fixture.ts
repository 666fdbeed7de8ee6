import { after, before } from 'node:test';
import { connect, type Caller, type ClientKind, type Fetch, withCaller } from './clients.ts';
import { openProxy, type Proxy } from './proxy.ts';
import { startServer, type BackendName, type Server, type Settings } from './server.ts';

/** A server and a client of it for one test. */
export async function withServer(
  backend: BackendName,
  settings: Settings,
  test: (caller: Caller, server: Server) => Promise<void>,
  options: { fetch?: Fetch } = {},
): Promise<void> {
  const server = await startServer(backend, settings);
  try {
    await withCaller('v2 modern', server.mcpUrl, (caller) => test(caller, server), options);
  } finally {
    await server.stop();
  }
}

/** The same, where the server's way to the API server can be broken. */
export async function withProxy(
  test: (setting: { caller: Caller; server: Server; proxy: Proxy }) => Promise<void>,
  settings: Settings = {},
): Promise<void> {
  const proxy = await openProxy();
  try {
    const through = { KUBECONFIG: proxy.kubeconfig, ...settings };
    await withServer('kubernetes', through, (caller, server) => test({ caller, server, proxy }));
  } finally {
    await proxy.close();
  }
}

/** A server and a client of it for the tests of one `describe`; both are there when a test runs. */
export function useServer(backend: BackendName, settings: Settings = {}, kind: ClientKind = 'v2 modern') {
  const used: { server?: Server; caller?: Caller } = {};
  before(async () => {
    used.server = await startServer(backend, settings);
    used.caller = await connect(kind, used.server.mcpUrl);
  });
  after(async () => {
    try {
      await used.caller?.close();
    } finally {
      await used.server?.stop();
    }
  });
  return {
    get server(): Server {
      if (!used.server) throw new Error('The server has not started.');
      return used.server;
    },
    run: (...args: Parameters<Caller['run']>) => {
      if (!used.caller) throw new Error('The client has not connected.');
      return used.caller.run(...args);
    },
  };
}
