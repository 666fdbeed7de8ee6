import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { workspacePath } from '../../../request/session.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import { signalNumber } from '../../../result/signal.ts';
import type { Behind } from '../dialect.ts';
import { HttpError } from '../fastapi.ts';
import { notesOf, withLines } from '../notes.ts';
import { strictInteger, valueError } from '../pydantic.ts';
import { type Call, runWithFiles } from '../with-files.ts';
import { checkRequest } from './execute.ts';
import { keepFile, takeFiles } from './files.ts';

export const onyxBody = z.object({
  code: z.string(),
  stdin: z.string().nullable().default(null),
  timeout_ms: strictInteger.min(1).default(2000),
  last_line_interactive: z.boolean().default(true),
  files: z.array(z.object({ path: z.string(), file_id: z.string() })).default([]),
});

export interface OnyxAnswer {
  stdout: string;
  stderr: string;
  exit_code: number | null;
  timed_out: boolean;
  duration_ms: number;
  files: { path: string; kind: 'file'; file_id: string }[];
}

/** Onyx names the program `code`, and BeeAI `source_code`. */
export function isOnyx(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'code' in body && !('source_code' in body);
}

/** POST /v1/execute with `code`. Throws HttpError, ServiceError. */
export async function executeOnyx(
  behind: Behind,
  { code, stdin, timeout_ms, last_line_interactive, files }: z.infer<typeof onyxBody>,
  call: Call,
): Promise<OnyxAnswer> {
  const { requestSchema, shelf, settings } = behind;
  const { caller } = call;
  const most = settings.maxTimeoutSeconds * 1000;
  if (timeout_ms > most) throw new HttpError(422, `timeout_ms exceeds maximum of ${most} ms`);
  const wanted = files.map(({ path, file_id }, index) => {
    const [issue] = workspacePath.safeParse(path).error?.issues ?? [];
    if (issue) throw new HttpError(422, [valueError(['files', index, 'path'], issue.message, path)]);
    return { path, id: file_id };
  });
  const timeout_seconds = timeout_ms / 1000;
  const request = checkRequest(requestSchema, { code, stdin: stdin ?? '', timeout_seconds }, {});
  const placed = await takeFiles(shelf, wanted, missingFile, settings, call);
  const kept: OnyxAnswer['files'] = [];
  const keep = async (path: string, bytes: Buffer, keeping: AbortSignal) => {
    const id = randomUUID();
    await keepFile(shelf, { id, path, caller }, bytes, keeping);
    kept.push({ path, kind: 'file', file_id: id });
  };
  const run = { placed, interpreter: 'python', recursive: true, keep } as const;
  const { result, lost } = await runWithFiles(behind, request, run, call);
  return onyxAnswerOf(result, last_line_interactive, kept, lost);
}

function missingFile({ id, path }: { id: string; path: string }): HttpError {
  return new HttpError(404, `File with ID '${id}' not found for path '${path}'.`);
}

export function onyxAnswerOf(
  result: ExecutionResult,
  withValue: boolean,
  files: OnyxAnswer['files'],
  lost: readonly string[],
): OnyxAnswer {
  const { status, stdout, stderr, exit_code, signal, value, timings, message } = result;
  if (['cancelled', 'evicted', 'node_lost', 'unknown'].includes(status)) throw new HttpError(500, message);
  const signalled = signal === null ? null : 128 + signalNumber(signal);
  return {
    stdout: withValue && value ? withLines(stdout, [value.text]) : stdout,
    stderr: withLines(stderr, notesOf(result, lost)),
    exit_code: status === 'out_of_memory' ? 128 + signalNumber('SIGKILL') : (exit_code ?? signalled),
    timed_out: status === 'timed_out',
    duration_ms: Math.round((timings.ran ?? 0) * 1000),
    files,
  };
}
