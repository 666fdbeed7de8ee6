import { Agent, request as send, type Dispatcher } from 'undici';
import { ServiceError } from '../result/errors.ts';

/** The answer holds a run's output twice, and as JSON; a run that keeps more output than this is for another service. */
const mostBytes = 32 * 1_048_576;
/** Longest time that a connection stays for the next request. */
const idleMs = 1000;
const connectMs = 5000;
/** The most that a timer takes; one of more ends at once. */
const longestMs = 2_147_483_647;

export interface Asked {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  /** For all of the answer. */
  seconds: number;
}

export interface Said {
  status: number;
  /** As it was parsed; undefined where it is no JSON. */
  body: unknown;
}

export interface Exchange {
  /** One request and its whole answer, whatever that is. Throws ServiceError and the signal's reason, if there is a signal. */
  ask(asked: Asked, signal?: AbortSignal): Promise<Said>;
  close(): Promise<void>;
}

/** One connection pool to one Piston. */
export function createExchange(pistonUrl: string, token: string): Exchange {
  const base = apiOf(pistonUrl);
  const closing = new AbortController();
  const dispatcher = new Agent({
    connect: { timeout: connectMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    // Piston closes idle connections after 5 s; a request that is sent meanwhile would be lost.
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
  });
  return {
    async ask({ method, path, body, seconds }, signal) {
      signal?.throwIfAborted();
      const overdue = new AbortController();
      const waitMs = Math.min(seconds * 1000, longestMs);
      const timer = setTimeout(() => {
        overdue.abort();
      }, waitMs);
      try {
        const answer = await send(`${base}${path}`, {
          method,
          dispatcher,
          headers: {
            accept: 'application/json',
            ...(token !== '' && { authorization: token }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          body: body === undefined ? null : JSON.stringify(body),
          signal: AbortSignal.any([overdue.signal, closing.signal, ...(signal ? [signal] : [])]),
        });
        return { status: answer.statusCode, body: parse(await readAll(answer.body)) };
      } catch (error) {
        signal?.throwIfAborted();
        closing.signal.throwIfAborted();
        throw explained(error, overdue.signal.aborted ? seconds : undefined);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      closing.abort(new ServiceError('shutting_down', 'This server is shutting down.'));
      await dispatcher.destroy();
    },
  };
}

/** Where its API is: below /api/v2, which may stand in the setting, with what a public one has behind it. */
export function apiOf(pistonUrl: string): string {
  const url = pistonUrl.replace(/\/+$/, '');
  return /\/api\/v2(\/piston)?$/.test(url) ? url : `${url}/api/v2`;
}

async function readAll(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes)
      throw new ServiceError('piston_failed', `Piston answered with more than ${mostBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function explained(error: unknown, seconds: number | undefined): ServiceError {
  if (error instanceof ServiceError) return error;
  const message =
    seconds === undefined
      ? `Piston cannot be reached, or broke off (${codeOf(error)}).`
      : `Piston did not answer in ${Math.ceil(seconds)} s. Whether the code ran is not known.`;
  return new ServiceError('piston_unavailable', message, { cause: error });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
