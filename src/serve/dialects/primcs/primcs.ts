import { McpServer, type McpServerFactory } from '@modelcontextprotocol/server';
import { Router, type RequestHandler } from 'express';
import { randomUUID } from 'node:crypto';
import { logFailure } from '../../errors.ts';
import { goneSignal } from '../../gone.ts';
import { answerCall } from '../../tool-call.ts';
import { version } from '../../version.ts';
import type { Behind, Dialect } from '../dialect.ts';
import { artifactRoutes } from './artifacts.ts';
import { definitions } from './definitions.ts';
import { Fault, wordsOf } from './fault.ts';
import { registerPrompt } from './prompt.ts';
import { toolsOf, type Answer } from './tools.ts';

/** PRIMCS: scripts in the workspace of an MCP session. */
export const primcs: Dialect = {
  name: 'primcs',
  port: 9000,
  open: (behind) => ({
    mcp: { factory: primcsFactory(behind), paths: ['/mcp/'], sessions: { leave: leaveSession(behind) } },
    routes: routesOf(behind),
  }),
};

/** The tools with their schemas as they stand: arguments are checked here, so that faults come in the words of PRIMCS. */
function primcsFactory(behind: Behind): McpServerFactory {
  const tools = toolsOf(behind);
  return ({ requestInfo: http }) => {
    const mcp = new McpServer({ name: 'primcs', version }, { capabilities: { tools: {} } });
    const session = sessionOf(http);
    registerPrompt(mcp);
    mcp.server.setRequestHandler('tools/list', () => ({ tools: definitions }));
    mcp.server.setRequestHandler('tools/call', ({ params: { name, arguments: given = {} } }, context) =>
      answerCall(
        context,
        http,
        behind.callerOf,
        async (call) => {
          const tool = tools.get(name);
          return tool ? answer(await tool(given, { ...call, session })) : failed(`Unknown tool: ${name}`);
        },
        {
          onError: (error) => {
            if (!(error instanceof Fault)) logFailure(behind.log, name, error);
          },
          answer: (error) => failed(`Error calling tool '${name}': ${wordsOf(error)}`),
        },
      ),
    );
    return mcp;
  };
}

/** The name that a client goes by, if it has one. Over stdin and stdout it is alone on its connection, which is its session. */
function sessionOf(http: Request | undefined): string | undefined {
  if (!http) return randomUUID();
  const name = http.headers.get('mcp-session-id');
  return name === null || name === '' ? undefined : name;
}

/** What is a list stands alone in the text, and a note in a text of its own: clients parse the first. */
function answer({ note, ...content }: Answer) {
  const said = 'result' in content ? content.result : content;
  const texts = [JSON.stringify(said), ...(note === undefined ? [] : [note])];
  return {
    content: texts.map((text) => ({ type: 'text' as const, text })),
    structuredContent: { ...content },
    isError: false,
  };
}

function failed(text: string) {
  return { content: [{ type: 'text' as const, text }], isError: true };
}

/** The workspace of a client that goes is not kept until it has been idle for long. */
function leaveSession({ sessions, callerOf }: Behind): RequestHandler {
  return async (req, res) => {
    const call = { caller: callerOf(req), signal: goneSignal(res) };
    const name = req.get('mcp-session-id');
    const id = name === undefined ? undefined : await sessions.findNamed(name, call);
    if (id !== undefined) await sessions.end(id, call);
    res.status(200).end();
  };
}

function routesOf(behind: Behind): Router {
  const router = Router({ strict: true });
  router.all('/mcp', (req, res) => {
    res.redirect(307, `/mcp/${req.url.slice('/mcp'.length)}`);
  });
  router.use(artifactRoutes(behind));
  router.use((_req, res) => {
    res.status(404).type('text').send('Not Found');
  });
  return router;
}
