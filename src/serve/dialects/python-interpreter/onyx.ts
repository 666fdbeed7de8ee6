import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { newExecutionId } from '../../../request/execution-id.ts';
import { workspacePath } from '../../../request/session.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import { signalNumber } from '../../../result/signal.ts';
import type { Behind } from '../dialect.ts';
import { createExchange } from '../exchange.ts';
import { HttpError } from '../fastapi.ts';
import { beside } from '../launch.ts';
import { notesOf, withLines } from '../notes.ts';
import { strictInteger, valueError } from '../pydantic.ts';
import { checkRequest, type Caller } from './execute.ts';
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
  { service, requestSchema, shelf, settings }: Behind,
  { code, stdin, timeout_ms, last_line_interactive, files }: z.infer<typeof onyxBody>,
  { caller, signal }: Caller,
): Promise<OnyxAnswer> {
  const most = settings.maxTimeoutSeconds * 1000;
  if (timeout_ms > most) throw new HttpError(422, `timeout_ms exceeds maximum of ${most} ms`);
  const wanted = files.map(({ path, file_id }, index) => {
    const [issue] = workspacePath.safeParse(path).error?.issues ?? [];
    if (issue) throw new HttpError(422, [valueError(['files', index, 'path'], issue.message, path)]);
    return { path, id: file_id };
  });
  const timeout_seconds = timeout_ms / 1000;
  const request = checkRequest(requestSchema, { code, stdin: stdin ?? '', timeout_seconds }, {});
  const placed = await takeFiles(shelf, wanted, caller, settings, signal);
  const missing = placed.find(({ bytes }) => bytes === undefined);
  if (missing) throw new HttpError(404, `File with ID '${missing.id}' not found for path '${missing.path}'.`);
  const kept: OnyxAnswer['files'] = [];
  const given = placed.flatMap(({ path, bytes }) => (bytes ? [{ path, bytes }] : []));
  const program = beside(given, code);
  const exchange = createExchange(given, program.files, {
    recursive: true,
    maxFiles: settings.inputFiles,
    maxFileBytes: settings.inputBytes,
    maxBytes: settings.artifactBytes,
    async keep(path, bytes, keeping) {
      const id = randomUUID();
      await keepFile(shelf, { id, path, caller }, bytes, keeping);
      kept.push({ path, kind: 'file', file_id: id });
    },
  });
  const options = {
    executionId: newExecutionId(),
    caller,
    signal,
    around: exchange,
    artifacts: false,
  } as const;
  const result = await service.execute({ ...request, code: program.code }, options);
  return onyxAnswerOf(result, last_line_interactive, kept, exchange.lost);
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
