import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type {
  ExecutionRequest,
  ExecutionRequestInput,
  ExecutionRequestSchema,
} from '../../../request/execution.ts';
import { workspacePath } from '../../../request/session.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import type { Behind } from '../dialect.ts';
import { HttpError } from '../fastapi.ts';
import { notesOf, withLines } from '../notes.ts';
import { valueError, type Detail } from '../pydantic.ts';
import { type Call, runWithFiles } from '../with-files.ts';
import { keepFile, takeFiles } from './files.ts';

/** BeeAI's own limit of a program. */
const usualSeconds = 60;

export const executeBody = z.object({
  source_code: z.string(),
  files: z.record(z.string().regex(/^\/[^/].*$/), z.string().regex(/^[0-9a-zA-Z_-]{1,255}$/)).default({}),
  env: z.record(z.string(), z.string()).default({}),
});

export interface ExecuteAnswer {
  stdout: string;
  stderr: string;
  exit_code: number;
  files: Record<string, string>;
}

/** POST /v1/execute with `source_code`. Throws HttpError, ServiceError. */
export async function executeSource(
  behind: Behind,
  { source_code, files, env }: z.infer<typeof executeBody>,
  call: Call,
): Promise<ExecuteAnswer> {
  const { requestSchema, shelf, settings } = behind;
  const { caller } = call;
  const wanted = Object.entries(files).map(([path, id]) => ({ path: workspacePathOf(path, files), id }));
  const timeout_seconds = Math.min(usualSeconds, settings.maxTimeoutSeconds);
  const request = checkRequest(requestSchema, { code: source_code, env, timeout_seconds });
  const missing = ({ id }: { id: string }) => new HttpError(500, `File not found: ${id}`);
  const placed = await takeFiles(shelf, wanted, missing, settings, call);
  const kept = new Map<string, string>();
  const keep = async (path: string, bytes: Buffer, keeping: AbortSignal) => {
    const id = randomBytes(32).toString('hex');
    await keepFile(shelf, { id, path, caller }, bytes, keeping);
    kept.set(`/workspace/${path}`, id);
  };
  const run = { placed, interpreter: 'python', recursive: false, keep } as const;
  const { result, lost } = await runWithFiles(behind, request, run, call);
  return answerOf(result, Object.fromEntries(kept), lost);
}

/** A result in the words of BeeAI's. Throws HttpError where the program did not come to an end of its own. */
export function answerOf(
  result: ExecutionResult,
  files: Record<string, string>,
  lost: readonly string[],
): ExecuteAnswer {
  const { status, stdout, stderr, exit_code, message } = result;
  switch (status) {
    case 'succeeded':
    case 'failed':
    case 'out_of_memory':
      return { stdout, stderr: withLines(stderr, notesOf(result, lost)), exit_code: exit_code ?? -1, files };
    case 'timed_out':
      return { stdout: '', stderr: 'Execution timed out', exit_code: -1, files };
    case 'cancelled':
    case 'evicted':
    case 'node_lost':
    case 'unknown':
      throw new HttpError(500, message);
  }
}

/** "/workspace/a/b", and "/a/b" too, which is there as well, as a path below the workspace. */
function workspacePathOf(path: string, files: object): string {
  const relative = path.startsWith('/workspace/') ? path.slice('/workspace/'.length) : path.slice(1);
  const parsed = workspacePath.safeParse(relative);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HttpError(422, [valueError(['files', path, '[key]'], issue?.message ?? 'no path', files)]);
}

/** A request of ours. Throws HttpError 422 with what this server does not take. */
export function checkRequest(
  schema: ExecutionRequestSchema,
  given: ExecutionRequestInput,
  names: Record<string, string> = { code: 'source_code' },
): ExecutionRequest {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }): Detail => {
    const [first = '', ...rest] = path.map(String);
    return valueError([names[first] ?? first, ...rest], message, null);
  });
  throw new HttpError(422, details);
}
