/** A site that files are fetched from and put to. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Put {
  url: string;
  length: string | undefined;
  body: string;
}

export interface Site {
  url: string;
  /** What was put, with its URL as it came. */
  puts: Put[];
  close(): Promise<void>;
}

/** Serves `pages` by path, and takes what is put, except below /denied/. */
export async function startSite(pages: Record<string, string>): Promise<Site> {
  const puts: Put[] = [];
  const server = createServer((request, response) => {
    const { url = '', method, headers } = request;
    void text(request).then((body) => {
      const page = pages[url];
      if (method === 'GET' && page !== undefined) return response.end(page);
      if (method !== 'PUT') return response.writeHead(404).end();
      if (url.startsWith('/denied/')) return response.writeHead(403).end('<Code>AccessDenied</Code>');
      puts.push({ url, length: headers['content-length'], body });
      return response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    puts,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
