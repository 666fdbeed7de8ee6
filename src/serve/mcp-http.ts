import { createMcpHandler, type McpServerFactory, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { RequestHandler } from 'express';
import { randomUUID } from 'node:crypto';
import type { Logger } from '../observe/log.ts';
import { describeError } from '../result/errors.ts';
import type { Service } from '../schedule/service.ts';
import type { CallerOf } from './caller.ts';
import { asOneAnswer } from './one-answer.ts';
import { keyOf } from './tool-call.ts';

interface Message {
  id?: string | number;
  method?: unknown;
  params?: { requestId?: unknown };
}

interface McpOptions {
  /** `json`: each answer is one JSON body, and no stream. */
  answers?: 'sse' | 'json';
  /** Clients that speak both eras are to come in that of 2025, whose session ids are needed here. */
  needsSessions?: boolean;
}

/**
 * MCP over Streamable HTTP, both eras, without state. The 2025 era cancels by a message of its own, so `initialize`
 * gives each client a session id that only says which messages belong together.
 */
export function mcpOverHttp(
  factory: McpServerFactory,
  service: Pick<Service, 'cancelRequest'>,
  callerOf: CallerOf,
  log: Logger,
  { answers = 'sse', needsSessions = false }: McpOptions = {},
) {
  const handler = createMcpHandler(factory, {
    // A stream from the start: with its keep-alive comments no proxy takes a long run for a dead connection.
    responseMode: 'sse',
    onerror: (error) => {
      log.debug({ why: error.message }, 'mcp');
    },
  });
  const node = toNodeHandler({
    async fetch(incoming, options) {
      const request = answers === 'json' ? takingStreams(incoming) : incoming;
      const message = options?.parsedBody as Message | undefined;
      if (needsSessions && message?.method === 'server/discover') return notFound(message);
      if (message?.method === 'notifications/cancelled') {
        const refusal = await cancel(service, callerOf, request, message).catch(refused);
        if (refusal) return refusal;
      }
      const streamed = await handler.fetch(request, options);
      // A subscription is a stream, and has no end.
      const isOne = answers === 'json' && message?.method !== 'subscriptions/listen';
      const response = isOne ? await asOneAnswer(streamed) : streamed;
      if (message?.method === 'initialize') response.headers.set('mcp-session-id', randomUUID());
      return response;
    },
  });
  const route: RequestHandler = (req, res) => void node(req, res, req.body);
  return { route, close: () => handler.close() };
}

/** What a server of the 2025 era alone says to a client that asks for more: it begins with `initialize` then. */
function notFound({ id }: Message): Response {
  const error = { code: ProtocolErrorCode.MethodNotFound, message: 'Method not found' };
  return Response.json({ jsonrpc: '2.0', id: id ?? null, error });
}

/** Who expects one JSON body need not take streams; in the 2025 era the answer is made of one all the same. */
function takingStreams({ url, method, headers, signal }: Request): Request {
  const both = new Headers(headers);
  both.set('accept', 'application/json, text/event-stream');
  return new Request(url, { method, headers: both, signal });
}

/** A message that is no request has no answer but its status, and what a person may read beside it. */
function refused(error: unknown): Response {
  const { http, body } = describeError(error);
  const { message } = body.error;
  return Response.json(
    { jsonrpc: '2.0', id: null, error: { code: ProtocolErrorCode.InvalidRequest, message } },
    { status: http },
  );
}

async function cancel(
  service: Pick<Service, 'cancelRequest'>,
  callerOf: CallerOf,
  request: Request,
  message: Message,
): Promise<undefined> {
  const requestId = message.params?.requestId;
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return undefined;
  const caller = callerOf(request.headers);
  const key = keyOf(caller, request.headers.get('mcp-session-id'), requestId);
  if (key !== undefined) await service.cancelRequest(key, caller, request.signal);
  return undefined;
}
