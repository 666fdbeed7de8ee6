import express, { type ErrorRequestHandler, type RequestHandler, type Response, type Router } from 'express';
import { z } from 'zod';
import type { Logger } from '../../observe/log.ts';
import { describeError } from '../../result/errors.ts';
import { fromExpress, logFailure } from '../errors.ts';
import { bodyBytes } from '../front.ts';
import { jsonBody } from '../json.ts';
import { detailsOf, jsonError, type Detail } from './pydantic.ts';

/** An answer that is an error, as FastAPI gives it: `{"detail": …}`. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly status: number;
  readonly detail: string | Detail[];

  constructor(status: number, detail: string | Detail[]) {
    super(typeof detail === 'string' ? detail : 'The body is not what it should be.');
    this.status = status;
    this.detail = detail;
  }
}

/** A body as it is checked. Throws HttpError 422 with what is wrong with it. */
export function checkBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new HttpError(422, detailsOf(parsed.error, body));
  return parsed.data;
}

/** Bodies: JSON, and what comes as anything else as text, which no schema takes. An empty one is none. */
export function bodies(sizes: Parameters<typeof bodyBytes>[0]): RequestHandler[] {
  const drop: RequestHandler = (req, _res, next) => {
    if (req.get('content-length') === '0') req.body = undefined;
    next();
  };
  const text = express.text({ limit: bodyBytes(sizes), type: () => true });
  return [jsonBody(sizes, { strict: false }), text, drop];
}

/** What FastAPI says of an error: status and body. Errors of the service keep the status of their catalogue. */
export function fastApiError(error: unknown): { status: number; body: { detail: string | Detail[] } } {
  if (error instanceof HttpError) return { status: error.status, body: { detail: error.detail } };
  if (error instanceof Error && 'type' in error && error.type === 'entity.parse.failed')
    return { status: 422, body: { detail: [jsonError(error)] } };
  const { http, body } = describeError(fromExpress(error));
  const { message, hint } = body.error;
  return { status: http, body: { detail: `${message} ${hint}` } };
}

export function sendFastApiError(res: Response, error: unknown): void {
  const { status, body } = fastApiError(error);
  const { retry_after_seconds: wait } = describeError(error).body.error;
  if (wait !== null) res.set('retry-after', String(Math.ceil(wait)));
  res.status(status).json(body);
}

/** Ends a router: other methods of its paths, other paths, and errors. */
export function endAsFastApi(router: Router, paths: Record<string, string>, log: Logger): void {
  for (const [path, allow] of Object.entries(paths)) {
    router.all(path, (_req, res) => {
      res.set('allow', allow).status(405).json({ detail: 'Method Not Allowed' });
    });
  }
  router.use((_req, res) => {
    res.status(404).json({ detail: 'Not Found' });
  });
  const handler: ErrorRequestHandler = (error: unknown, req, res, _next) => {
    logFastApiError(log, req.path, error);
    if (res.headersSent) res.destroy();
    else sendFastApiError(res, error);
  };
  router.use(handler);
}

/** Logs what no client can mend, without ids of files, which are their caller's alone. */
export function logFastApiError(log: Logger, path: string, error: unknown): void {
  if (error instanceof HttpError) return;
  logFailure(log, path.replace(/^(\/v1\/[\w-]+)\/.*$/s, '$1/{id}'), fromExpress(error));
}
