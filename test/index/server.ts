/**
 * A caching proxy of a Python package index, for tests: what was asked once comes from the disk afterwards. It speaks the
 * simple repository API under /simple/, and has the metadata of each wheel beside it, so that a resolver reads no wheels.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openCache } from './cache.ts';
import { makeCertificate } from './certificate.ts';
import { htmlPage, isWheel, jsonPage, jsonType, type ProjectFile } from './page.ts';
import { configuredIndex, Failure, openUpstream } from './upstream.ts';
import { wheelMetadata } from './wheel.ts';

export interface IndexOptions {
  /** Address to listen on. Default: loopback. */
  host?: string;
  /** Default: one that is free. */
  port?: number;
  /** Whom to let in. Default: everybody. */
  credentials?: { user: string; password: string };
  /** Serve https, with a certificate for `host` of an authority made for this server alone. */
  tls?: boolean;
  /** Where files are kept. Default: the cache folder of Vivarium's tests. */
  folder?: string;
  /** URL of the index to fetch from. Default: the one that pip is configured with. */
  upstream?: string;
}

export interface PackageIndex {
  /** To hand to a resolver: ends with /simple. */
  url: string;
  /** Certificate (PEM) of its authority; undefined without TLS. */
  ca: string | undefined;
  /** Paths of the requests that it let in, in order: `/simple/six/`, `/files/six/six-1.17.0-py2.py3-none-any.whl`. */
  requests: string[];
  /** How many it turned away for want of credentials. */
  refused: () => number;
  close(): Promise<void>;
}

const pageSeconds = 86_400;

export async function startIndex(options: IndexOptions = {}): Promise<PackageIndex> {
  const { host = '127.0.0.1', port = 0, credentials, tls = false } = options;
  const source = options.upstream ?? (await configuredIndex());
  const upstream = openUpstream(source);
  // What one index has is not what another one has.
  const part = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const cache = openCache(join(options.folder ?? cacheFolder(), part));
  const password = credentials && `Basic ${btoa(`${credentials.user}:${credentials.password}`)}`;
  const requests: string[] = [];
  let refused = 0;

  async function filesOf(project: string): Promise<ProjectFile[]> {
    const name = `pages/${project}.json`;
    const path = await cache.file(name, (path) => upstream.page(project, path), pageSeconds);
    return JSON.parse(await readFile(path, 'utf8')) as ProjectFile[];
  }

  /** The path of a file in the cache, or of a wheel's metadata. */
  async function fileOf(project: string, wanted: string): Promise<string> {
    const filename = wanted.replace(/\.metadata$/, '');
    const file = (await filesOf(project)).find((file) => file.filename === filename);
    if (!file) throw new Failure(404, `${project} has no file ${filename}`);
    const whole = () =>
      cache.file(`files/${project}/${filename}`, (path) => upstream.file(file.url, file.hashes.sha256, path));
    if (wanted === filename) return whole();
    if (!isWheel(filename)) throw new Failure(404, `${filename} is no wheel`);
    return cache.file(`files/${project}/${wanted}`, async (path) => {
      if (file.metadata) await upstream.file(`${file.url}.metadata`, undefined, path);
      else await writeFile(path, await wheelMetadata(await whole()));
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://index');
    if (password !== undefined && request.headers.authorization !== password) {
      refused += 1;
      response.setHeader('www-authenticate', 'Basic realm="index"');
      throw new Failure(401, 'credentials are missing or wrong');
    }
    requests.push(pathname);
    const [, kind, project = '', ...rest] = pathname.split('/').map(decodeURIComponent);
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(project)) throw new Failure(404, 'no such page');
    const [filename = ''] = rest;
    if (kind === 'simple' && filename === '') {
      const json = (request.headers.accept ?? '').includes(jsonType);
      const page = (json ? jsonPage : htmlPage)(project, await filesOf(project));
      response.setHeader('content-type', json ? jsonType : 'text/html').end(page);
    } else if (kind === 'files' && /^[A-Za-z0-9_][A-Za-z0-9._+!-]*$/.test(filename) && rest.length === 1) {
      const path = await fileOf(project, filename);
      response.setHeader('content-length', (await stat(path)).size);
      await pipeline(createReadStream(path), response);
    } else throw new Failure(404, 'no such page');
  }

  const listener: RequestListener = (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      const { status, message } = error instanceof Failure ? error : new Failure(500, String(error));
      response.writeHead(status, { 'content-type': 'text/plain' }).end(`${message}\n`);
      return;
    });
  };

  const certificate = tls ? await makeCertificate([host]) : undefined;
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
  server.listen(port, host);
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${bound}/simple`,
    ca: certificate?.ca,
    requests,
    refused: () => refused,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vivarium/index');
}
