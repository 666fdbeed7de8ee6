import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';
import { createHash } from 'node:crypto';
import { describeError } from '../result/errors.ts';
import { stops } from '../schedule/stop.ts';
import type { CallerOf } from './caller.ts';
import { createProgress } from './progress.ts';

/** One call of a tool. */
export interface Call {
  caller: string;
  /** Names it across replicas; undefined where the client has no session. */
  requestKey: string | undefined;
  /** Aborts when it is cancelled or its client is gone. */
  signal: AbortSignal;
  progress: ReturnType<typeof createProgress>;
  /** Tells the client how the environment that it waits for is built. */
  building(line: string): void;
}

interface Errors {
  /** Is told of those of calls that somebody waits for. */
  onError?: (error: unknown) => void;
  /** What they are answered with. */
  answer?: (error: unknown) => CallToolResult;
}

/** Answers a call. Errors are answers, too: of an unknown caller, and those that the work throws. */
export async function answerCall(
  context: ServerContext,
  http: Request | undefined,
  callerOf: CallerOf,
  work: (call: Call) => Promise<CallToolResult>,
  { onError, answer = errorAnswer }: Errors = {},
): Promise<CallToolResult> {
  const gone = new AbortController();
  const leave = () => {
    gone.abort(stops.clientGone());
  };
  http?.signal.addEventListener('abort', leave, { once: true });
  if (http?.signal.aborted) leave();
  const signal = AbortSignal.any([gone.signal, context.mcpReq.signal]);
  const progress = createProgress(context);
  try {
    const caller = http ? callerOf(http.headers) : '';
    return await work({
      caller,
      requestKey: keyOf(caller, http?.headers.get('mcp-session-id'), context.mcpReq.id),
      signal,
      progress,
      building: (message) => {
        progress.see({ type: 'building', message });
      },
    });
  } catch (error) {
    if (!signal.aborted) onError?.(error);
    return answer(error);
  } finally {
    progress.end();
    http?.signal.removeEventListener('abort', leave);
  }
}

/** A result with `isError`, because a model can read that. */
function errorAnswer(error: unknown): CallToolResult {
  const { error: described } = describeError(error).body;
  return {
    content: [{ type: 'text', text: `${described.code}: ${described.message} ${described.hint}` }],
    isError: true,
    _meta: { 'vivarium.dev/error': described },
  };
}

/**
 * Names a request of a client across replicas. Clients of the 2025 era cancel by a message of its own, which may reach
 * another replica: it carries the session's id and the request's. Undefined where the client has no session. Clients may choose
 * ids that others guess, so a caller's are his own.
 */
export function keyOf(
  caller: string,
  session: string | null | undefined,
  requestId: string | number,
): string | undefined {
  if (session === null || session === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([caller, session, requestId]))
    .digest('hex')
    .slice(0, 40);
}
