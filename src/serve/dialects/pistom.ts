import { McpServer, type McpServerFactory } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { newExecutionId } from '../../request/execution-id.ts';
import { describeError } from '../../result/errors.ts';
import type { ExecutionResult } from '../../result/execution-result.ts';
import { answerCall, type Call } from '../tool-call.ts';
import { version } from '../version.ts';
import type { Behind, Dialect } from './dialect.ts';
import { notesOf, withLines } from './notes.ts';
import { createSaid } from './said.ts';

/** Pistom gives up on an answer after this. */
const runSeconds = 10;

/** Pistom: one tool, which runs Python and answers with what it printed. */
export const pistom: Dialect = {
  name: 'pistom',
  port: 3000,
  open: (behind) => ({ mcp: { factory: pistomFactory(behind), paths: ['/mcp', '/mcp/'] } }),
};

function pistomFactory({ service, requestSchema, callerOf, settings }: Behind): McpServerFactory {
  const seconds = Math.min(runSeconds, settings.maxTimeoutSeconds);
  return ({ requestInfo: http }) => {
    const server = new McpServer({ name: 'Pistom MCP Server', version });
    server.registerTool(
      'run_python_code',
      {
        description: [
          'Executes given Python code. This tool is useful for solving math, coding, logical, and other problems that can be',
          'solved with Python. Returns what the code printed: print what you want to see.',
        ].join(' '),
        inputSchema: z.object({ code: z.string().describe('The source code to execute.') }),
      },
      ({ code }, context) =>
        answerCall(
          context,
          http,
          callerOf,
          async (call) => {
            const parsed = requestSchema.safeParse({ code, timeout_seconds: seconds });
            if (!parsed.success)
              return text(`Error: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
            return text(await outputOf(service, parsed.data, seconds, call));
          },
          { answer: (error) => text(errorText(error)) }, // the service has logged it
        ),
    );
    return server;
  };
}

/** What the code printed. An end that is not the code's own is told as an error. */
async function outputOf(
  service: Behind['service'],
  request: Parameters<Behind['service']['execute']>[0],
  seconds: number,
  { caller, requestKey, signal, progress }: Call,
): Promise<string> {
  const said = createSaid();
  const result = await service.execute(request, {
    executionId: newExecutionId(),
    caller,
    ...(requestKey !== undefined && { requestKey }),
    signal,
    artifacts: false,
    onEvent(event) {
      said.see(event);
      progress.see(event);
    },
  });
  return explained(said.read(), result, seconds);
}

function errorText(error: unknown): string {
  const { message, hint } = describeError(error).body.error;
  return `Error: ${message} ${hint}`;
}

/** Output, and last lines where it is cut and where the code did not end by itself. Pure. */
export function explained(
  output: string,
  result: Pick<
    ExecutionResult,
    'status' | 'signal' | 'message' | 'truncated' | 'stdout_bytes' | 'stderr_bytes'
  >,
  seconds: number,
): string {
  const tooLong = `The code was stopped after ${seconds} s, the most that it may run; what it had printed is kept.`;
  const notes = [...(result.status === 'timed_out' ? [tooLong] : []), ...notesOf(result, [])];
  return notes.length === 0
    ? output
    : withLines(
        output,
        notes.map((note) => `Error: ${note}`),
      ).trimEnd();
}

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
