import { Agent, type Dispatcher, request as send } from 'undici';
import type { ExecutionRequest } from '../request/execution.ts';
import { type ErrorCode, errorKinds, ServiceError } from '../result/errors.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import type { WorkspaceListing } from '../result/session.ts';
import type { RunEvent } from '../schedule/run.ts';
import { readEvents } from './event-stream.ts';
import type { SessionCall, Sessions } from './sessions.ts';

/** Says that another replica asks, and for which run: it is not passed on again. */
export const forwardedHeader = 'vivarium-forwarded';

/** Names a run's request of a client beside that: a cancellation of it may reach any replica. */
export const requestHeader = 'vivarium-request';

/** Longest wait for a connection, and for the first bytes of an answer that is not a run's. */
const connectMs = 5000;
/** A stream of events has one each 15 s at least. */
const silenceMs = 45_000;

/** Longest answer about a workspace: 10,000 entries, whose paths have 1,024 bytes before JSON escapes them. */
const answerBytes = 67_108_864;

export interface PeerSettings {
  callerHeader: string;
  allowedHosts: readonly string[];
}

/** A replica that has a session. All throw ServiceError and the signal's reason. */
export interface Peer extends Pick<Sessions, 'end' | 'list' | 'read' | 'write'> {
  execute(
    request: ExecutionRequest,
    options: SessionCall & {
      executionId: string;
      requestKey?: string | undefined;
      onEvent: (event: RunEvent) => void;
    },
  ): Promise<ExecutionResult>;
  /** Cancels a run. */
  cancel(executionId: string, call: SessionCall): Promise<void>;
  /** Cancels the run that this request began, if there is one. */
  cancelRequest(requestKey: string, call: SessionCall): Promise<void>;
}

/** Speaks the REST of other replicas. */
export function createPeers(settings: PeerSettings) {
  const agent = new Agent({ connect: { timeout: connectMs } });

  function headers(caller: string, executionId = 'call'): Record<string, string> {
    const [host] = settings.allowedHosts;
    return {
      [forwardedHeader]: executionId,
      ...(settings.callerHeader !== '' && { [settings.callerHeader]: caller }),
      ...(host !== undefined && host !== '*' && { host }),
    };
  }

  async function exchange(
    url: string,
    { signal, ...options }: Omit<Dispatcher.RequestOptions, 'origin' | 'path'> & { signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const response = await send(url, {
      ...options,
      signal,
      dispatcher: agent,
      // The answer to a call comes after its turn.
      headersTimeout: 0,
      bodyTimeout: silenceMs,
    });
    if (response.statusCode < 300) return response;
    throw toError(await json(response.body).catch(() => undefined));
  }

  return {
    at(base: string): Peer {
      const root = `${base.replace(/\/$/, '')}/v1`;
      const call = (path: string, method: Dispatcher.HttpMethod, { caller, signal }: SessionCall) =>
        reached(signal, () => exchange(`${root}/${path}`, { method, headers: headers(caller), signal }));
      return {
        execute: (request, { executionId, requestKey, caller, signal, onEvent }) =>
          reached(signal, async () => {
            const response = await exchange(`${root}/executions`, {
              method: 'POST',
              headers: {
                ...headers(caller, executionId),
                ...(requestKey !== undefined && { [requestHeader]: requestKey }),
                'content-type': 'application/json',
                accept: 'text/event-stream',
              },
              body: JSON.stringify(request),
              signal,
            });
            for await (const { event, data } of readEvents(response.body)) {
              if (event === 'result') return data as ExecutionResult;
              if (event === 'error') throw toError({ error: data });
              onEvent(data as RunEvent);
            }
            throw new Error('the answer ended before the result');
          }),
        async cancel(executionId, sessionCall) {
          const { body } = await call(`executions/${executionId}`, 'DELETE', sessionCall);
          await body.dump();
        },
        async cancelRequest(requestKey, sessionCall) {
          const { body } = await call(`requests/${requestKey}`, 'DELETE', sessionCall);
          await body.dump();
        },
        async end(id, sessionCall) {
          const { body } = await call(`sessions/${id}`, 'DELETE', sessionCall);
          await body.dump();
        },
        async list(id, path, { recursive }, sessionCall) {
          const query = new URLSearchParams({ path, recursive: String(recursive) });
          const { body } = await call(`sessions/${id}/files?${query.toString()}`, 'GET', sessionCall);
          return (await reached(sessionCall.signal, () => json(body))) as WorkspaceListing;
        },
        async read(id, path, maxBytes, sessionCall) {
          const { body, headers: said } = await call(
            `sessions/${id}/files/${encodePath(path)}`,
            'GET',
            sessionCall,
          );
          const bytes = await reached(sessionCall.signal, () => bytesOf(body, maxBytes));
          if (bytes) return bytes;
          throw new ServiceError(
            'too_large',
            `"${path}" has ${String(said['content-length'] ?? 'too many')} bytes, which is more than can be read at one time.`,
          );
        },
        write: (id, path, bytes, { caller, signal }) =>
          reached(signal, async () => {
            const { body } = await exchange(`${root}/sessions/${id}/files/${encodePath(path)}`, {
              method: 'PUT',
              headers: { ...headers(caller), 'content-type': 'application/octet-stream' },
              body: Buffer.from(bytes),
              signal,
            });
            await body.dump();
          }),
      };
    },
    close: () => agent.destroy(),
  };
}

export type Peers = ReturnType<typeof createPeers>;

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** What comes, if it is no more than that. */
async function bytesOf(body: AsyncIterable<Uint8Array>, most: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function json(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const bytes = await bytesOf(body, answerBytes);
  if (!bytes) throw new Error('the answer of the other server is too long');
  return JSON.parse(bytes.toString('utf8'));
}

/** An error of the other replica as its own; what cannot be understood is a fault of the way there. */
async function reached<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServiceError) throw error;
    const isRefused = error instanceof Error && 'code' in error && isOfConnecting(error.code);
    throw new ServiceError(
      'session_unreachable',
      isRefused
        ? 'The server that holds the session does not answer.'
        : 'The server that holds the session stopped answering amid the call: what became of it is not known.',
      { cause: error },
    );
  }
}

function isOfConnecting(code: unknown): boolean {
  return ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT'].includes(
    String(code),
  );
}

function toError(body: unknown): unknown {
  const { error } = (body ?? {}) as {
    error?: { code?: string; message?: string; retry_after_seconds?: number | null };
  };
  if (error?.code === undefined || !(error.code in errorKinds)) return new Error('an answer without meaning');
  const after = error.retry_after_seconds;
  return new ServiceError(error.code as ErrorCode, error.message ?? '', {
    ...(typeof after === 'number' && { retryAfterSeconds: after }),
  });
}
