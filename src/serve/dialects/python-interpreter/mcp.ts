import { type CallToolResult, McpServer, type McpServerFactory } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { answerCall } from '../../tool-call.ts';
import { version } from '../../version.ts';
import type { Behind } from '../dialect.ts';
import { checkBody, fastApiError, logFastApiError } from '../fastapi.ts';
import { executeBody, executeSource, type ExecuteAnswer } from './execute.ts';

const answer = z.object({
  stdout: z.string(),
  stderr: z.string(),
  exit_code: z.number(),
  files: z.record(z.string(), z.string()),
});

/** Python Interpreter MCP: one tool, which asks the REST service and answers with what that does. */
export function pythonInterpreterTools(behind: Behind): McpServerFactory {
  const { callerOf, log } = behind;
  return ({ requestInfo: http }) => {
    const server = new McpServer({ name: 'Python Interpreter', version });
    server.registerTool(
      'execute_python_code',
      {
        description: 'Execute Python code with a Python interpreter given a source code string.',
        inputSchema: z.object({ source_code: z.string().describe('The Python code to execute') }),
        outputSchema: answer,
      },
      ({ source_code }, context) =>
        answerCall(
          context,
          http,
          callerOf,
          async ({ caller, requestKey, signal }) =>
            toolAnswer(
              await executeSource(behind, checkBody(executeBody, { source_code }), {
                caller,
                ...(requestKey !== undefined && { requestKey }),
                signal,
              }),
            ),
          {
            onError: (error) => {
              logFastApiError(log, 'execute_python_code', error);
            },
            answer: (error) => toolAnswer(errorAnswer(error)),
          },
        ),
    );
    return server;
  };
}

function toolAnswer(said: ExecuteAnswer): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(said) }], structuredContent: { ...said } };
}

/** As the tool's original tells of an answer of the REST service that is an error. */
function errorAnswer(error: unknown): ExecuteAnswer {
  const { status, body } = fastApiError(error);
  return { stdout: '', stderr: `HTTP error ${status}: ${JSON.stringify(body)}`, exit_code: 1, files: {} };
}
