import { McpServer, type McpServerFactory, type ServerContext } from '@modelcontextprotocol/server';
import { createHash } from 'node:crypto';
import { executionRequest, type ExecutionRequest, type RequestSettings } from '../request/execution.ts';
import { describeError } from '../result/errors.ts';
import { executionResult } from '../result/execution-result.ts';
import type { Service } from '../schedule/service.ts';
import { stops } from '../schedule/stop.ts';
import { newExecutionId } from '../request/execution-id.ts';
import { callerBy, type CallerOf } from './caller.ts';
import { createProgress } from './progress.ts';
import { renderResult } from './render.ts';
import { version } from './version.ts';

export interface DoorSettings extends RequestSettings {
  callerHeader: string;
  defaultTimeoutSeconds: number;
  maxTimeoutSeconds: number;
  defaultMemoryMb: number;
  maxMemoryMb: number;
}

/** The tools, anew for each request (HTTP) or connection (stdio): nothing is shared between callers. */
export function createMcpFactory(service: Service, settings: DoorSettings): McpServerFactory {
  const inputSchema = executionRequest(settings);
  const description = describeTool(settings);
  const callerOf = callerBy(settings.callerHeader);
  return ({ requestInfo }) => {
    const server = new McpServer({ name: 'vivarium', version });
    server.registerTool(
      'run_code',
      {
        title: 'Run code',
        description,
        inputSchema,
        outputSchema: executionResult,
        annotations: {
          readOnlyHint: false,
          destructiveHint: false,
          idempotentHint: false,
          openWorldHint: false,
        },
      },
      (request, context) => callRunCode(service, request, context, requestInfo, callerOf),
    );
    return server;
  };
}

async function callRunCode(
  service: Service,
  request: ExecutionRequest,
  context: ServerContext,
  http: Request | undefined,
  callerOf: CallerOf,
) {
  const gone = new AbortController();
  const leave = () => {
    gone.abort(stops.clientGone());
  };
  http?.signal.addEventListener('abort', leave, { once: true });
  if (http?.signal.aborted) leave();
  const requestKey = keyOf(http?.headers.get('mcp-session-id'), context.mcpReq.id);
  const progress = createProgress(context);
  try {
    const result = await service.execute(request, {
      executionId: newExecutionId(),
      caller: http ? callerOf(http.headers) : '',
      ...(requestKey !== undefined && { requestKey }),
      signal: AbortSignal.any([gone.signal, context.mcpReq.signal]),
      onEvent: progress.see,
    });
    return {
      content: [{ type: 'text' as const, text: renderResult(result) }],
      structuredContent: result,
      isError: false,
    };
  } catch (error) {
    const { error: described } = describeError(error).body;
    return {
      content: [{ type: 'text' as const, text: `${described.code}: ${described.message} ${described.hint}` }],
      isError: true,
      _meta: { 'vivarium.dev/error': described },
    };
  } finally {
    progress.end();
    http?.signal.removeEventListener('abort', leave);
  }
}

/**
 * Names a request of a client across replicas. Clients of the 2025 era cancel by a message of its own, which may reach
 * another replica: it carries the session's id and the request's. Undefined where the client has no session.
 */
export function keyOf(session: string | null | undefined, requestId: string | number): string | undefined {
  if (session === null || session === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([session, requestId]))
    .digest('hex')
    .slice(0, 40);
}

function describeTool(settings: DoorSettings): string {
  return [
    'Runs a Python program in a fresh, isolated sandbox and returns its exact output and how it ended.',
    'Each call starts from nothing: no variables or files are kept between calls, and there is no network.',
    'The working directory /workspace and /tmp can be written. Print what you want to see.',
    `Limits: ${settings.defaultTimeoutSeconds} s unless timeout_seconds says otherwise (at most ${settings.maxTimeoutSeconds}),`,
    `${settings.defaultMemoryMb} MiB unless limits.memory_mb says otherwise (at most ${settings.maxMemoryMb}).`,
    'numpy, pandas, matplotlib, scipy, scikit-learn, sympy, pillow, requests, openpyxl, beautifulsoup4 and pyyaml are installed.',
  ].join(' ');
}
