import type { ErrorRequestHandler, Response } from 'express';
import { type Logger, why } from '../observe/log.ts';
import { describeError, isOfRequest, ServiceError } from '../result/errors.ts';
import { Stop } from '../schedule/stop.ts';

/** Answers with an error of the catalogue; inside an event stream, as its last event. */
export function sendError(res: Response, error: unknown): void {
  const { http, body } = describeError(error);
  if (res.headersSent) {
    res.end(`event: error\ndata: ${JSON.stringify(body.error)}\n\n`);
    return;
  }
  if (body.error.retry_after_seconds !== null)
    res.set('retry-after', String(Math.ceil(body.error.retry_after_seconds)));
  res.status(http).json(body);
}

/**
 * Logs what no caller can mend: known errors with their causes, others with their stack. That a
 * call was stopped is none.
 */
export function logFailure(log: Logger, path: string, error: unknown): void {
  if (error instanceof Stop) return;
  if (!(error instanceof ServiceError)) log.error({ path, why: describe(error) }, 'request failed');
  else if (!isOfRequest(error)) log.warn({ path, why: why(error) }, 'request failed');
}

/** Express' last handler: what its body parser and the routes throw. At `mcpPaths` it is answered as JSON-RPC. */
export function errorHandler(log: Logger, mcpPaths: readonly string[] = ['/mcp']): ErrorRequestHandler {
  return (thrown: unknown, req, res, _next) => {
    const error = fromExpress(thrown);
    logFailure(log, loggedPath(req.path), error);
    if (!mcpPaths.includes(req.path)) {
      sendError(res, error);
      return;
    }
    const { http, body } = describeError(error);
    const code = http === 400 ? -32_700 : -32_603;
    res.status(http).json({ jsonrpc: '2.0', id: null, error: { code, message: body.error.message } });
  };
}

/** A path, in whatever letters it is asked for, without what is its caller's alone: a session's handle, names of files. */
function loggedPath(path: string): string {
  return path.replace(/^(\/v1\/sessions)\/[^/]*(\/files)?.*$/is, '$1/{id}$2');
}

/** What Express throws itself, as errors of the catalogue. */
export function fromExpress(thrown: unknown): unknown {
  if (thrown instanceof URIError)
    return new ServiceError('invalid_request', 'The path has a % that begins no encoded character.');
  if (thrown instanceof ServiceError) return thrown; // of a check of the body
  // What body parsers throw has a status, and mostly a type; what is wrong in a compressed body has none.
  if (!(thrown instanceof Error) || !('status' in thrown)) return thrown;
  switch ('type' in thrown ? thrown.type : undefined) {
    case 'entity.parse.failed':
      return new ServiceError('invalid_request', `The body is not JSON: ${thrown.message}`);
    case 'entity.too.large':
      return new ServiceError(
        'too_large',
        `The body is larger than ${'limit' in thrown ? String(thrown.limit) : '?'} bytes.`,
      );
    default:
      return new ServiceError('invalid_request', `The body cannot be read: ${thrown.message}`);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
