import { Router, type NextFunction, type Request, type Response } from 'express';
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import { frameBytes } from '../../../output/frame.ts';
import { describeError } from '../../../result/errors.ts';
import type { RunEvent } from '../../../schedule/run.ts';
import { fromExpress, logFailure } from '../../errors.ts';
import { goneSignal } from '../../gone.ts';
import { jsonBody } from '../../json.ts';
import type { Behind } from '../dialect.ts';
import { type Answer, definitions, type Said, type ToolCall, type toolsOf } from './tools.ts';

/** An answer takes as long as the run does: this keeps proxies from taking it for a dead connection. */
const keepAliveMs = 15_000;

const body = z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) });

/** The tools over HTTP, one call a request. Where the service could not do it, the status says so beside the text. */
export function restRoutes(tools: ReturnType<typeof toolsOf>, { callerOf, settings, log }: Behind): Router {
  const router = Router({ strict: true });
  const json = jsonBody(settings);

  async function answer(
    req: Request,
    res: Response,
    onEvent: ToolCall['onEvent'],
  ): Promise<Answer | undefined> {
    const parsed = body.safeParse(req.body);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(
        ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
      );
      res.status(400).json({ error: faults.join('; ') });
      return undefined;
    }
    const caller = callerOf(req);
    const call = { caller, requestKey: undefined, signal: goneSignal(res), onEvent };
    return await tools(parsed.data.name, parsed.data.arguments, call);
  }

  router.get('/health', (_req, res) => {
    res.json({ status: 'healthy' });
  });

  router.get('/tools', (_req, res) => {
    res.json({ tools: definitions });
  });

  router.post('/execute', json, async (req, res) => {
    const answered = await answer(req, res, () => undefined);
    if (answered) send(res, answered);
  });

  router.post('/execute/stream', json, async (req, res) => {
    const stream = openStream(res);
    try {
      const answered = await answer(req, res, stream.see);
      if (!answered) return;
      if (answered.error !== undefined && !res.headersSent) send(res, answered);
      else stream.end(answered.said);
    } finally {
      stream.close();
    }
  });

  router.all('/mcp', (req, res) => {
    res.redirect(307, `/mcp/${req.url.slice('/mcp'.length)}`);
  });

  router.use((_req, res) => {
    res.status(404).json({ error: 'Not Found' });
  });

  router.use((thrown: unknown, req: Request, res: Response, _next: NextFunction) => {
    if (res.closed) return;
    const error = fromExpress(thrown);
    logFailure(log, req.path, error);
    const described = describeError(error);
    const { message, hint } = described.body.error;
    if (res.headersSent) res.end();
    else res.status(described.http).json({ error: `${message} ${hint}` });
  });

  return router;
}

function send(res: Response, { said, error }: Answer): void {
  if (error !== undefined) {
    const { http, body: described } = describeError(error);
    const wait = described.error.retry_after_seconds;
    if (wait !== null) res.set('retry-after', String(Math.ceil(wait)));
    res.status(http);
  }
  res.json(said);
}

/** Server-sent events: `output` as the code writes it, `progress` before that, `result` at the end. It opens with the first. */
function openStream(res: Response) {
  const send = (event: string, data: object) => {
    if (!res.headersSent) {
      res.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
    }
    res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  const output = (stream: 'stdout' | 'stderr', text: string) => {
    if (text !== '') send('output', { stream, text });
  };
  const keepAlive = setInterval(() => {
    if (res.headersSent) res.write(': still here\n\n');
  }, keepAliveMs);
  return {
    see(event: RunEvent): void {
      if (event.type === 'building') send('progress', { message: event.message });
      else if (event.type === 'stdout' || event.type === 'stderr')
        output(event.type, decoders[event.type].write(frameBytes(event)));
    },
    end(said: Said): void {
      output('stdout', decoders.stdout.end());
      output('stderr', decoders.stderr.end());
      send('result', said);
      res.end();
    },
    close(): void {
      clearInterval(keepAlive);
    },
  };
}
