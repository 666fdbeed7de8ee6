import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { release } from './release.ts';

/** A way to the API server that can be broken. */
export interface Proxy {
  /** A kubeconfig of the server's account that leads through it. */
  kubeconfig: string;
  /** Resets every connection there is. New ones are taken. */
  cut(): void;
  /** Resets every connection, and each new one, until `restore`. */
  leave(): void;
  /** What is asked gets there, and what is answered is lost, until `restore`. */
  loseAnswers(): void;
  restore(): void;
  close(): Promise<void>;
}

type Mode = 'working' | 'away' | 'losing answers';

export async function openProxy(): Promise<Proxy> {
  const config = JSON.parse(await readFile(release().kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'tls-server-name'?: string } }];
  };
  const cluster = config.clusters[0].cluster;
  const target = new URL(cluster.server);
  const port = Number(target.port || 443);
  const sockets = new Set<Socket>();
  let mode: Mode = 'working';

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined); // it was reset; 'close' follows
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((inner) => {
    keep(inner);
    if (mode === 'away') {
      inner.resetAndDestroy();
      return;
    }
    const outer = connect(port, target.hostname);
    keep(outer);
    inner.on('data', (chunk) => outer.write(chunk));
    outer.on('data', (chunk) => {
      if (mode !== 'losing answers') inner.write(chunk);
    });
    inner.once('close', () => outer.destroy());
    outer.once('close', () => inner.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The proxy does not listen on a port.');

  cluster.server = `https://127.0.0.1:${address.port}`;
  cluster['tls-server-name'] = target.hostname;
  const kubeconfig = `${release().kubeconfig}-${address.port}`;
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    kubeconfig,
    cut,
    leave() {
      mode = 'away';
      cut();
    },
    loseAnswers: () => (mode = 'losing answers'),
    restore() {
      if (mode === 'losing answers') cut();
      mode = 'working';
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}
