import type { ErrorRequestHandler, Response, Router } from 'express';
import type { Logger } from '../../../observe/log.ts';
import { describeError } from '../../../result/errors.ts';
import { fromExpress, logFailure } from '../../errors.ts';

/** An answer that is an error in LibreChat's form. */
export class LibreChatError extends Error {
  override name = 'LibreChatError';
  readonly status: number;
  readonly details: string | undefined;

  constructor(status: number, message: string, details?: string) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/** Status and body of an error. */
export function libreChatError(error: unknown): { status: number; body: Record<string, unknown> } {
  if (error instanceof LibreChatError) {
    const { status, message, details } = error;
    return { status, body: { error: message, ...(details !== undefined && { details }) } };
  }
  const { http, body } = describeError(fromExpress(error));
  const { message, hint, retry_after_seconds } = body.error;
  // LibreChat reads the wait from the body, where the error has this name.
  if (http === 429)
    return { status: http, body: { error: 'rate_limited', details: message, retry_after_seconds } };
  return { status: http, body: { error: message, details: hint } };
}

function sendLibreChatError(res: Response, error: unknown): void {
  const { status, body } = libreChatError(error);
  const wait = body.retry_after_seconds;
  if (typeof wait === 'number') res.set('retry-after', String(Math.ceil(wait)));
  res.status(status).json(body);
}

/** Ends a router: paths that are not there, and errors of body parsers. */
export function endAsLibreChat(router: Router, log: Logger): void {
  router.use((req, res) => {
    res.status(404).json({ error: 'Not found', details: `There is nothing at ${req.method} ${req.path}.` });
  });
  const handler: ErrorRequestHandler = (error: unknown, req, res, _next) => {
    if (!(error instanceof LibreChatError)) logFailure(log, loggedPath(req.path), fromExpress(error));
    if (res.headersSent) res.destroy();
    else sendLibreChatError(res, error);
  };
  router.use(handler);
}

/** A path without ids of sessions and files, which are their caller's alone. */
function loggedPath(path: string): string {
  return path.replace(/^((?:\/v1)?\/\w+)\/.*$/s, '$1/{id}');
}
