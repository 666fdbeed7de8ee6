import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { RequestHandler } from 'express';
import { randomUUID } from 'node:crypto';
import type { Logger } from '../observe/log.ts';
import type { Service } from '../schedule/service.ts';
import { keyOf } from './tool-call.ts';

interface Message {
  method?: unknown;
  params?: { requestId?: unknown };
}

/**
 * MCP over Streamable HTTP, both eras, without state. The 2025 era cancels by a message of its own, so `initialize`
 * gives each client a session id that only says which messages belong together.
 */
export function mcpOverHttp(factory: McpServerFactory, service: Pick<Service, 'cancelRequest'>, log: Logger) {
  const handler = createMcpHandler(factory, {
    // A stream from the start: with its keep-alive comments no proxy takes a long run for a dead connection.
    responseMode: 'sse',
    onerror: (error) => {
      log.debug({ why: error.message }, 'mcp');
    },
  });
  const node = toNodeHandler({
    async fetch(request, options) {
      const message = options?.parsedBody as Message | undefined;
      if (message?.method === 'notifications/cancelled') await cancel(service, request, message);
      const response = await handler.fetch(request, options);
      if (message?.method === 'initialize') response.headers.set('mcp-session-id', randomUUID());
      return response;
    },
  });
  const route: RequestHandler = (req, res) => void node(req, res, req.body);
  return { route, close: () => handler.close() };
}

async function cancel(
  service: Pick<Service, 'cancelRequest'>,
  request: Request,
  message: Message,
): Promise<void> {
  const requestId = message.params?.requestId;
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return;
  const key = keyOf(request.headers.get('mcp-session-id'), requestId);
  if (key !== undefined) await service.cancelRequest(key, request.signal);
}
