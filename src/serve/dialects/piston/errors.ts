import type { ErrorRequestHandler } from 'express';
import type { Logger } from '../../../observe/log.ts';
import { describeError, type ErrorCode, ServiceError } from '../../../result/errors.ts';
import { fromExpress, logFailure } from '../../errors.ts';
import { Refusal } from './refusal.ts';

/** What Piston knows as a wrong request, whatever is wrong with it. */
const wrong: ErrorCode[] = ['invalid_request', 'too_large', 'file_unusable', 'workspace_full'];

/** Errors as Piston tells them: a message and no more. */
export function pistonErrors(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, req, res, _next) => {
    if (thrown instanceof Refusal) {
      res.status(thrown.status).json({ message: thrown.message });
      return;
    }
    const error = fromExpress(thrown);
    logFailure(log, req.path, error);
    const { http, body } = describeError(error);
    const { message, hint, retry_after_seconds } = body.error;
    const isWrong = error instanceof ServiceError && wrong.includes(error.code);
    if (retry_after_seconds !== null) res.set('retry-after', String(Math.ceil(retry_after_seconds)));
    res.status(isWrong ? 400 : http).json({ message: isWrong ? message : `${message} ${hint}` });
  };
}
