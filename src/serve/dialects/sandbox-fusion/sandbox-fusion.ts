import { Router } from 'express';
import type { ExecutionRequest, ExecutionRequestSchema } from '../../../request/execution.ts';
import { newExecutionId } from '../../../request/execution-id.ts';
import { ServiceError } from '../../../result/errors.ts';
import type { WorkspaceFiles } from '../../../schedule/backend.ts';
import type { Around } from '../../../schedule/run.ts';
import { logFailure } from '../../errors.ts';
import { goneSignal } from '../../gone.ts';
import type { Behind, Dialect } from '../dialect.ts';
import { lostFile, tellingLoss } from '../exchange.ts';
import { bodies, checkBody, endAsFastApi } from '../fastapi.ts';
import { answerOf, commandOf, sandboxError, type RunCodeAnswer } from './answer.ts';
import { runElsewhere } from './elsewhere.ts';
import { filesOf, languageOf, relative, runCodeBody, type RunCode } from './request.ts';

/** SandboxFusion: POST /run_code. */
export const sandboxFusion: Dialect = {
  name: 'sandbox-fusion',
  port: 8080,
  open: (behind) => ({ routes: routesOf(behind) }),
};

/** Less has no interpreter. */
const leastMb = 64;

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
      res.json(sandboxError(error));
    }
  });
  endAsFastApi(router, { '/run_code': 'POST' }, log);
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
  const around = aroundOf(body, settings, fetched, lost);
  const result = await service.execute(requestOf(body, requestSchema), {
    executionId: newExecutionId(),
    caller,
    signal,
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
    timeout_seconds: run_timeout,
    ...(memory_limit_MB > 0 && { limits: { memory_mb: Math.max(memory_limit_MB, leastMb) } }),
  });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ServiceError('invalid_request', `${faults.join('; ')}.`);
}

/** Puts files into the working directory and takes those out that are wanted, where there are any. Throws ServiceError. */
function aroundOf(
  body: RunCode,
  settings: { inputFiles: number; inputBytes: number },
  fetched: Map<string, string>,
  lost: string[],
): Around | undefined {
  const files = filesOf(body, settings);
  const wanted = body.fetch_files.map((name) => ({ name, path: relative(name) }));
  if (files.length === 0 && wanted.length === 0) return undefined;
  async function takeOut(workspace: WorkspaceFiles, signal: AbortSignal): Promise<void> {
    let room = settings.inputBytes;
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
