import { Router, type Request, type Response } from 'express';
import { type ExecutionRequest, executionRequest, type RequestSettings } from '../request/execution.ts';
import { ServiceError } from '../result/errors.ts';
import type { SessionSettings } from '../request/session.ts';
import { executionIdPattern, newExecutionId } from '../request/execution-id.ts';
import { isOfFiles } from '../output/frame.ts';
import type { RunOptions } from '../schedule/run.ts';
import type { Service } from '../schedule/service.ts';
import { forwardedHeader, requestHeader } from '../sessions/peer.ts';
import type { CallerOf } from './caller.ts';
import { sendError } from './errors.ts';
import { goneSignal } from './gone.ts';
import { openApi } from './openapi.ts';

/** Executions over REST. */
export function restRoutes(
  service: Service,
  settings: RequestSettings & SessionSettings,
  callerOf: CallerOf,
): Router {
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
    // A run for a session that is here, from a server whose client asked: it goes by one id on both. Of other runs the id
    // names the Job, and nobody chooses it.
    const given = parsed.data.session_id === undefined ? undefined : req.get(forwardedHeader);
    const options = {
      executionId: given !== undefined && executionIdPattern.test(given) ? given : newExecutionId(),
      caller: callerOf(req),
      forwarded: given !== undefined,
      ...(given !== undefined && keyIn(req)),
      signal: goneSignal(res),
    };
    try {
      if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
        await streamRun(service, parsed.data, options, res);
      } else {
        res.json(await service.execute(parsed.data, options));
      }
    } catch (error) {
      sendError(res, error); // the service has logged it
    }
  });

  router.get('/v1/executions/:id', async (req, res) => {
    res.json(await service.find(idOf(req), callerOf(req), goneSignal(res)));
  });

  router.delete('/v1/executions/:id', async (req, res) => {
    const asked = req.get(forwardedHeader) !== undefined;
    await service.cancel(idOf(req), callerOf(req), goneSignal(res), asked);
    res.status(202).json({ execution_id: idOf(req) });
  });

  // For other replicas: a client's cancellation came to them.
  router.delete('/v1/requests/:key', async (req, res, next) => {
    if (req.get(forwardedHeader) === undefined) {
      next();
      return;
    }
    await service.cancelRequest(req.params.key, callerOf(req), goneSignal(res), true);
    res.status(204).end();
  });

  return router;
}

/** Server-sent events: building, starting, the frames of output as they come, and `result` at the end. Throws as `execute`. */
async function streamRun(
  service: Service,
  request: ExecutionRequest,
  options: RunOptions,
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
  // Another server knows by what comes that this one is alive.
  if (options.forwarded) open();
  const keepAlive = setInterval(() => {
    if (res.headersSent) res.write(': still here\n\n');
  }, 15_000);
  try {
    const result = await service.execute(request, {
      ...options,
      onEvent: (event) => {
        // An error before a place was free still has a status code of its own. With `requirements` the first event
        // is one of `building` where there is a build, which opens the stream before that.
        if (event.type === 'queued' || isOfFiles(event)) return;
        if (!res.headersSent) open();
        send(event.type, event);
      },
    });
    send('result', result);
    res.end();
  } finally {
    clearInterval(keepAlive);
  }
}

function keyIn(req: Request): { requestKey?: string } {
  const requestKey = req.get(requestHeader);
  return requestKey === undefined ? {} : { requestKey };
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
