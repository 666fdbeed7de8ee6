import { Router, type Request, type Response } from 'express';
import { executionRequest, type RequestSettings } from '../request/execution.ts';
import { ServiceError } from '../result/errors.ts';
import { executionIdPattern, newExecutionId } from '../request/execution-id.ts';
import type { Service } from '../schedule/service.ts';
import { stops } from '../schedule/stop.ts';
import { sendError } from './errors.ts';
import { openApi } from './openapi.ts';

/** The REST door: one resource, executions. */
export function restRoutes(service: Service, settings: RequestSettings): Router {
  const schema = executionRequest(settings);
  const document = openApi(settings);
  const router = Router();

  router.get('/openapi.json', (_req, res) => {
    res.json(document);
  });

  router.post('/v1/executions', async (req, res) => {
    const parsed = schema.safeParse(req.body);
    if (!parsed.success) {
      throw new ServiceError(
        'invalid_request',
        parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; '),
      );
    }
    const gone = goneSignal(res);
    if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
      await streamRun(service, parsed.data, gone, res);
    } else {
      res.json(await service.execute(parsed.data, { executionId: newExecutionId(), signal: gone }));
    }
  });

  router.get('/v1/executions/:id', async (req, res) => {
    res.json(await service.find(idOf(req), goneSignal(res)));
  });

  router.delete('/v1/executions/:id', async (req, res) => {
    await service.cancel(idOf(req), goneSignal(res));
    res.status(202).json({ execution_id: idOf(req) });
  });

  return router;
}

/** Server-sent events: queued, starting, the frames as they come, and `result` or `error` at the end. */
async function streamRun(
  service: Service,
  request: Parameters<Service['execute']>[0],
  signal: AbortSignal,
  res: Response,
): Promise<void> {
  const send = (event: string, data: object) =>
    res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const open = () => {
    res.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  };
  const keepAlive = setInterval(() => {
    if (res.headersSent) res.write(': still here\n\n');
  }, 15_000);
  try {
    const result = await service.execute(request, {
      executionId: newExecutionId(),
      signal,
      onEvent: (event) => {
        // An error before a place was free still has a status code of its own.
        if (event.type === 'queued') return;
        if (!res.headersSent) open();
        send(event.type, event);
      },
    });
    send('result', result);
    res.end();
  } catch (error) {
    sendError(res, error);
  } finally {
    clearInterval(keepAlive);
  }
}

/** Aborts when the client goes away before its answer. */
function goneSignal(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort(stops.clientGone());
  });
  return gone.signal;
}

function idOf(req: Request): string {
  const id = String(req.params.id);
  if (!executionIdPattern.test(id)) {
    throw new ServiceError(
      'invalid_request',
      `"${id.slice(0, 60)}" is no execution id: it has 26 letters and digits.`,
    );
  }
  return id;
}
