import type { KubeConfig } from '@kubernetes/client-node';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { request as send, type Dispatcher } from 'undici';
import { WebSocket, type ClientOptions } from 'ws';
import { authHeaders, makeDispatcher } from './kubeconfig.ts';

/** The API server answered, and the answer is no. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** The API server did not answer. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
}

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, string>;
  /** Of a PATCH, a JSON merge patch. */
  body?: unknown;
  signal: AbortSignal;
  /** Longest wait for an answer. */
  timeoutSeconds?: number;
}

const defaultTimeoutSeconds = 10;

/** Sees every call: its verb, and the status code, or 'error' where there was none. */
export type ApiObserver = (verb: string, code: string) => void;

/** One connection pool to one API server. */
export interface Client {
  /** The parsed answer. Throws ApiError, UnreachableError or the signal's reason. */
  json<T>(path: string, call: Call): Promise<T>;
  /** The answer as it comes (a watch, a log). */
  stream(path: string, call: Call): Promise<Readable>;
  /** An open WebSocket. */
  socket(path: string, query: [string, string][], protocol: string, signal: AbortSignal): Promise<WebSocket>;
  /** Where it is, for messages. */
  readonly server: string;
  close(): Promise<void>;
}

export async function createClient(kubeConfig: KubeConfig, observe: ApiObserver): Promise<Client> {
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error('The kubeconfig has no current context.');
  const server = cluster.server.replace(/\/$/, '');
  const dispatcher = await makeDispatcher(kubeConfig);

  /** `bodySeconds` is the longest pause within the answer, 0 for none. */
  async function exchange(path: string, call: Call, bodySeconds: number): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', query = {}, body, signal, timeoutSeconds = defaultTimeoutSeconds } = call;
    signal.throwIfAborted();
    const search = new URLSearchParams(query).toString();
    const verb = method.toLowerCase();
    try {
      const response = await send(`${server}${path}${search && `?${search}`}`, {
        method,
        dispatcher,
        headers: {
          ...(await authHeaders(kubeConfig)),
          accept: 'application/json',
          ...(body !== undefined && {
            'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
        headersTimeout: timeoutSeconds * 1000,
        bodyTimeout: bodySeconds * 1000,
      });
      observe(verb, String(response.statusCode));
      return response;
    } catch (error) {
      signal.throwIfAborted();
      observe(verb, 'error');
      throw unreachable(server, error);
    }
  }

  async function accepted(path: string, call: Call, bodySeconds: number): Promise<Dispatcher.ResponseData> {
    const response = await exchange(path, call, bodySeconds);
    if (response.statusCode < 300) return response;
    throw await readError(response);
  }

  return {
    server,
    async json<T>(path: string, call: Call): Promise<T> {
      const response = await accepted(path, call, call.timeoutSeconds ?? defaultTimeoutSeconds);
      try {
        return (await response.body.json()) as T;
      } catch (error) {
        call.signal.throwIfAborted();
        throw unreachable(server, error);
      }
    },
    async stream(path, call) {
      return (await accepted(path, call, 0)).body;
    },
    async socket(path, query, protocol, signal) {
      const url = `${server.replace(/^http/, 'ws')}${path}?${new URLSearchParams(query).toString()}`;
      const options: ClientOptions = {};
      await kubeConfig.applyToHTTPSOptions(options);
      return openSocket(
        new WebSocket(url, [protocol], { ...options, handshakeTimeout: 10_000 }),
        signal,
        observe,
      );
    },
    async close() {
      await dispatcher.destroy();
    },
  };
}

/**
 * Repeats a call that the API server did not answer, or said to repeat, until `seconds` have gone by. The pauses grow
 * and are spread at random, so that many callers do not come back at one time.
 */
export async function withRetry<T>(call: () => Promise<T>, seconds: number, signal: AbortSignal): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: Error | undefined;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    try {
      return await call();
    } catch (error) {
      // Time that runs out says less than what it ran out on.
      if (signal.aborted && last !== undefined) throw last;
      const wait = pause * (0.5 + Math.random());
      if (!isTransient(error) || performance.now() + wait > deadline) throw error;
      last = error;
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }
}

function isTransient(error: unknown): error is UnreachableError | ApiError {
  if (error instanceof UnreachableError) return true;
  if (!(error instanceof ApiError)) return false;
  // Conflict: two requests wrote to one object, such as a quota, at one time.
  return [429, 500, 502, 503, 504].includes(error.status) || error.reason === 'Conflict';
}

async function readError(response: Dispatcher.ResponseData): Promise<ApiError> {
  const text = await response.body.text().catch(() => '');
  try {
    const status = JSON.parse(text) as { reason?: string; message?: string };
    return new ApiError(response.statusCode, status.reason ?? '', status.message ?? text.slice(0, 500));
  } catch {
    return new ApiError(response.statusCode, '', text.slice(0, 500) || `HTTP status ${response.statusCode}`);
  }
}

function unreachable(server: string, error: unknown): UnreachableError {
  const why = error instanceof Error ? error.message : String(error);
  return new UnreachableError(`The API server ${server} does not answer: ${why}`, { cause: error });
}

function openSocket(socket: WebSocket, signal: AbortSignal, observe: ApiObserver): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const settle = (code: string, act: () => void) => {
      signal.removeEventListener('abort', abort);
      observe('connect', code);
      act();
    };
    const abort = () => {
      socket.terminate();
      reject(signal.reason as Error);
    };
    socket.once('open', () => {
      settle('101', () => {
        socket.removeAllListeners();
        resolve(socket);
      });
    });
    socket.once('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('close', () => {
        const status = response.statusCode ?? 0;
        settle(String(status), () => {
          reject(new ApiError(status, '', Buffer.concat(chunks).toString('utf8').slice(0, 500)));
        });
      });
    });
    // Stays: an aborted handshake reports an error after it was given up.
    socket.on('error', (error) => {
      settle('error', () => {
        reject(new UnreachableError(`The WebSocket failed: ${error.message}`, { cause: error }));
      });
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
