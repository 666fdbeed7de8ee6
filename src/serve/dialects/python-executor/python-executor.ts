import { McpServer, type McpServerFactory } from '@modelcontextprotocol/server';
import { answerCall } from '../../tool-call.ts';
import { version } from '../../version.ts';
import type { Behind, Dialect } from '../dialect.ts';
import { restRoutes } from './routes.ts';
import { definitions, failureOf, toolsOf } from './tools.ts';

/** MCP Python Executor: one script a call, with the packages that its caller has installed. */
export const pythonExecutor: Dialect = {
  name: 'python-executor',
  port: 8055,
  open(behind) {
    const tools = toolsOf(behind);
    return {
      mcp: { factory: executorFactory(behind, tools), paths: ['/mcp/'], answers: 'json' },
      routes: restRoutes(tools, behind),
    };
  },
};

/** The tools with their schemas as they stand: what is wrong with arguments is told in one text, as all is. */
function executorFactory({ callerOf }: Behind, tools: ReturnType<typeof toolsOf>): McpServerFactory {
  return ({ requestInfo: http }) => {
    const mcp = new McpServer({ name: 'python-executor', version }, { capabilities: { tools: {} } });
    mcp.server.setRequestHandler('tools/list', () => ({ tools: definitions }));
    mcp.server.setRequestHandler('tools/call', ({ params: { name, arguments: given = {} } }, context) =>
      answerCall(
        context,
        http,
        callerOf,
        async ({ caller, requestKey, signal, progress }) => {
          const call = { caller, requestKey, signal, onEvent: progress.see };
          const { said } = await tools(name, given, call);
          return { ...said };
        },
        { answer: (error) => ({ ...failureOf(name, error) }) },
      ),
    );
    return mcp;
  };
}
