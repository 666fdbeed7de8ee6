import { type Response, Router } from 'express';
import type { ExecutionRequest, ExecutionRequestSchema } from '../../../request/execution.ts';
import { newExecutionId } from '../../../request/execution-id.ts';
import { describeError, ServiceError } from '../../../result/errors.ts';
import type { WorkspaceFiles } from '../../../schedule/backend.ts';
import type { Around } from '../../../schedule/run.ts';
import { logFailure } from '../../errors.ts';
import { goneSignal } from '../../gone.ts';
import type { Behind, Dialect } from '../dialect.ts';
import { lostFile, type Placed, tellingLoss } from '../exchange.ts';
import { bodies, checkBody, endAsFastApi } from '../fastapi.ts';
import { beside } from '../launch.ts';
import { answerOf, commandOf, sandboxError, type RunCodeAnswer } from './answer.ts';
import { runElsewhere } from './elsewhere.ts';
import { filesOf, languageOf, relative, runCodeBody, type RunCode } from './request.ts';

/** SandboxFusion: POST /run_code. */
export const sandboxFusion: Dialect = {
  name: 'sandbox-fusion',
  port: 8080,
  open: (behind) => ({ routes: routesOf(behind) }),
};

/** Clients take 200 for the end of it, and try again at 504 alone. */
function sendError(res: Response, error: unknown): void {
  const { retryable, retry_after_seconds: wait } = describeError(error).body.error;
  if (wait !== null) res.set('retry-after', String(Math.ceil(wait)));
  res.status(retryable ? 504 : 200).json(sandboxError(error));
}

/** Less has no interpreter. */
const leastMb = 64;
/** No time at all is over at once, and no fault of a request. */
const leastSeconds = 0.001;

function routesOf(behind: Behind): Router {
  const { settings, callerOf, piston, log } = behind;
  const router = Router({ strict: true });
  router.use(bodies(settings));
  router.post('/run_code', async (req, res) => {
    const caller = callerOf(req);
    const body = checkBody(runCodeBody, req.body);
    const signal = goneSignal(res);
    try {
      const language = languageOf(body, piston !== undefined);
      const answer =
        piston && language !== 'python'
          ? await runElsewhere(piston, behind, body, language, signal)
          : await runHere(behind, body, caller, signal);
      res.json(answer);
    } catch (error) {
      logFailure(log, req.path, error);
      sendError(res, error);
    }
  });
  router.get('/v1/ping', (_req, res) => {
    res.json('pong');
  });
  endAsFastApi(router, { '/run_code': 'POST', '/v1/ping': 'GET' }, log);
  return router;
}

/** Runs Python in a sandbox. Throws ServiceError. */
async function runHere(
  { service, requestSchema, settings }: Pick<Behind, 'service' | 'requestSchema' | 'settings'>,
  body: RunCode,
  caller: string,
  signal: AbortSignal,
): Promise<RunCodeAnswer> {
  const fetched = new Map<string, string>();
  const lost: string[] = [];
  const program = beside(filesOf(body, settings), body.code);
  const around = aroundOf(body, program.files, settings.inputBytes, fetched, lost);
  const request = { ...requestOf(body, requestSchema), code: program.code };
  const result = await service.execute(request, {
    executionId: newExecutionId(),
    caller,
    signal,
    artifacts: false,
    ...(around && { around }),
  });
  return answerOf(null, commandOf(result, lost), Object.fromEntries(fetched));
}

/** Throws ServiceError. */
export function requestOf(
  { code, stdin, run_timeout, memory_limit_MB }: RunCode,
  schema: ExecutionRequestSchema,
): ExecutionRequest {
  const parsed = schema.safeParse({
    code,
    stdin: stdin ?? '',
    timeout_seconds: Math.max(run_timeout, leastSeconds),
    ...(memory_limit_MB > 0 && { limits: { memory_mb: Math.max(memory_limit_MB, leastMb) } }),
  });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ServiceError('invalid_request', `${faults.join('; ')}.`);
}

/** Puts files into the working directory and takes those out that are wanted, where there are any. Throws ServiceError. */
function aroundOf(
  body: RunCode,
  files: readonly Placed[],
  mostBytes: number,
  fetched: Map<string, string>,
  lost: string[],
): Around | undefined {
  const wanted = body.fetch_files.map((name) => ({ name, path: relative(name) }));
  if (files.length === 0 && wanted.length === 0) return undefined;
  async function takeOut(workspace: WorkspaceFiles, signal: AbortSignal): Promise<void> {
    let room = mostBytes;
    for (const { name, path } of wanted) {
      try {
        const bytes = await workspace.read(path, room, signal);
        room -= bytes.length;
        fetched.set(name, bytes.toString('base64'));
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        // What the program did not make is just not there.
        if (error.code !== 'file_not_found') lost.push(lostFile(name, error.message));
      }
    }
  }
  return {
    async before(workspace, signal) {
      for (const { path, bytes } of files) await workspace.write(path, bytes, signal);
    },
    after: (workspace, signal) => tellingLoss(lost, takeOut(workspace, signal)),
  };
}
