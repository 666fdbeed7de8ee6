import { Router, type Request, type Response } from 'express';
import { goneSignal } from '../../gone.ts';
import type { Behind, Dialect } from '../dialect.ts';
import { bodies, checkBody, endAsFastApi } from '../fastapi.ts';
import type { Call } from '../with-files.ts';
import { executeBody, executeSource } from './execute.ts';
import { pythonInterpreterTools } from './mcp.ts';
import { isOnyx, onyxBody, executeOnyx } from './onyx.ts';
import { onyxRoutes } from './onyx-files.ts';
import { executeTool, executeToolBody, parseTool, parseToolBody, ToolError } from './tools.ts';

/** BeeAI Code Interpreter's REST, Onyx's on the same path, and the tool of Python Interpreter MCP. */
export const pythonInterpreter: Dialect = {
  name: 'python-interpreter',
  port: 50_081,
  open: (behind) => ({
    routes: restRoutes(behind),
    mcp: { factory: pythonInterpreterTools(behind), paths: ['/mcp', '/mcp/'] },
  }),
};

function restRoutes(behind: Behind): Router {
  const { settings, callerOf, log } = behind;
  const router = Router({ strict: true });
  router.use(onyxRoutes(behind));
  router.use(bodies(settings));

  const answer =
    (work: (body: unknown, call: Call) => Promise<object>) => async (req: Request, res: Response) => {
      const caller = callerOf(req);
      try {
        res.json(await work(req.body, { caller, signal: goneSignal(res) }));
      } catch (error) {
        if (error instanceof ToolError) res.status(400).json(error.body);
        else throw error;
      }
    };

  router.post(
    '/v1/execute',
    answer((body, call) =>
      isOnyx(body)
        ? executeOnyx(behind, checkBody(onyxBody, body), call)
        : executeSource(behind, checkBody(executeBody, body), call),
    ),
  );
  router.post(
    '/v1/parse-custom-tool',
    answer((body, call) => parseTool(behind, checkBody(parseToolBody, body), call)),
  );
  router.post(
    '/v1/execute-custom-tool',
    answer((body, call) => executeTool(behind, checkBody(executeToolBody, body), call)),
  );
  const posts = ['/v1/execute', '/v1/parse-custom-tool', '/v1/execute-custom-tool', '/v1/files'];
  const allowed = { '/health': 'GET', '/v1/files/:id': 'GET, DELETE' };
  endAsFastApi(router, { ...Object.fromEntries(posts.map((path) => [path, 'POST'])), ...allowed }, log);
  return router;
}
