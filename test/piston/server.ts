import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAsk, Refused } from './ask.ts';
import { BodyError, readBody } from './body.ts';
import { runJob } from './job.ts';
import { createPackages, PackageError } from './packages.ts';
import { describe, installRuntimes } from './runtimes.ts';

/** Milliseconds and bytes, as Piston is configured; -1 for none. */
export interface Limits {
  compile_timeout: number;
  run_timeout: number;
  compile_cpu_time: number;
  run_cpu_time: number;
  compile_memory_limit: number;
  run_memory_limit: number;
  output_max_size: number;
}

export interface PistonOptions {
  limits?: Partial<Limits>;
  /** What differs for a language. */
  overrides?: Record<string, Partial<Limits>>;
  /** Jobs at one time; the others wait, however many there are. */
  jobs?: number;
  /** Whether the index of packages cannot be reached: asked for it, Piston dies. */
  dead?: boolean;
  host?: string;
  port?: number;
}

export interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: unknown;
}

export interface StandIn {
  url: string;
  /** Below it are the packages (piston/) and the boxes of jobs (box-…). */
  root: string;
  /** Requests, as they came. */
  seen: Seen[];
  /** Jobs that go on now. */
  running(): number;
  /** Ends all that runs. */
  close(): Promise<void>;
}

const usual: Limits = {
  compile_timeout: 10_000,
  run_timeout: 3000,
  compile_cpu_time: 10_000,
  run_cpu_time: 3000,
  compile_memory_limit: -1,
  run_memory_limit: -1,
  output_max_size: 1024,
};

type Reply = { status: number; body?: unknown; html?: string; methods?: string };

/** A stand-in of Piston 3.1.1 on the loopback interface: the same HTTP, faults included, and programs that really run. */
export async function startPiston(options: PistonOptions = {}): Promise<StandIn> {
  const { limits = {}, overrides = {}, jobs = 64, dead = false, host = '127.0.0.1', port = 0 } = options;
  const root = mkdtempSync(join(tmpdir(), 'piston-'));
  const { runtimes, hello } = installRuntimes(root);
  const packages = createPackages(runtimes, hello);
  const seen: Seen[] = [];
  const closing = new AbortController();
  const limitsOf = (language: string) => ({ ...usual, ...limits, ...overrides[language] });
  let running = 0;

  async function execute(body: Record<string, unknown>): Promise<Reply> {
    const ask = readAsk(body, runtimes, limitsOf);
    while (running >= jobs) await sleep(10, undefined, { signal: closing.signal });
    running += 1;
    try {
      return { status: 200, body: await runJob(ask, root, closing.signal) };
    } catch {
      return { status: 500 };
    } finally {
      running -= 1;
    }
  }

  const routes: Record<string, Record<string, (body: Record<string, unknown>) => Reply | Promise<Reply>>> = {
    '/execute': { POST: execute },
    '/runtimes': { GET: () => ({ status: 200, body: runtimes.map(describe) }) },
    '/packages': {
      GET() {
        if (dead) throw new Dead();
        return { status: 200, body: packages.list() };
      },
      POST: (body) => ({ status: 200, body: packages.install(body) }),
      DELETE: (body) => ({ status: 200, body: packages.uninstall(body) }),
    },
  };

  async function answer(request: IncomingMessage): Promise<Reply> {
    const { method = 'GET', url = '/', headers } = request;
    const path = (url.split('?')[0] ?? '').toLowerCase().replace(/(?<=.)\/$/, '');
    const body = await readBody(request);
    seen.push({ method, path, headers, body });
    if (path === '/' && method === 'GET') return { status: 200, body: { message: 'Piston v3.1.1' } };
    const below = /^\/api\/v2(\/.*|$)/.exec(path)?.[1];
    if (below === undefined) return notFound;
    const reads = ['GET', 'HEAD', 'OPTIONS'].includes(method);
    if (!reads && headers['content-type']?.startsWith('application/json') !== true)
      return { status: 415, body: { message: 'requests must be of type application/json' } };
    const route = routes[below];
    if (!route) return notFound;
    if (method === 'OPTIONS') {
      const methods = Object.keys(route).flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
      return { status: 200, html: methods.join(','), methods: methods.join(',') };
    }
    const handler = route[method === 'HEAD' ? 'GET' : method];
    return handler ? await handler(body as Record<string, unknown>) : notFound;
  }

  const server = createServer((request, response) => {
    answer(request)
      .catch(explain)
      .then((reply) => {
        if (reply) send(response, reply);
        else void die();
      })
      .catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(port, host);
  await once(server, 'listening');

  async function die(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    root,
    seen,
    running: () => running,
    async close() {
      closing.abort();
      if (server.listening) await die();
      while (running > 0) await sleep(5);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const notFound: Reply = { status: 404, body: { message: 'Not Found' } };

/** Piston asked for its index while that is away: an error that nobody catches. */
class Dead extends Error {}

/** Undefined where there is nobody left to answer. */
function explain(error: unknown): Reply | undefined {
  if (error instanceof BodyError) return { status: 400, body: { stack: error.message } };
  if (error instanceof Refused) return { status: 400, body: error.body };
  if (error instanceof PackageError) return { status: error.status, body: { message: error.message } };
  if (error instanceof Dead) return undefined;
  throw error;
}

function send(response: ServerResponse, { status, body, html, methods }: Reply): void {
  const type = html === undefined ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8';
  const text = html ?? (body === undefined ? '' : JSON.stringify(body));
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': type }),
    ...(methods !== undefined && { allow: methods }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
