import { z } from 'zod';
import type {
  ExecutionRequest,
  ExecutionRequestInput,
  ExecutionRequestSchema,
} from '../../../request/execution.ts';
import { workspacePath } from '../../../request/session.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import type { Behind } from '../dialect.ts';
import type { Placed } from '../exchange.ts';
import { notesOf, reasonOf, withLines } from '../notes.ts';
import { type Call, runWithFiles } from '../with-files.ts';
import { LibreChatError } from './errors.ts';
import { readFile } from './files.ts';
import { newId } from './id.ts';
import { runnable } from './languages.ts';

const fileRef = z
  .object({
    id: z.string(),
    session_id: z.string().optional(),
    storage_session_id: z.string().optional(),
    name: z.string(),
  })
  .refine((file) => sessionOf(file) !== undefined, { error: 'a file has a session_id' });

export const execBody = z.object({
  code: z.string(),
  lang: z.string(),
  args: z.union([z.string(), z.array(z.string())]).nullish(),
  user_id: z.string().nullish(),
  files: z.array(fileRef).nullish(),
  timeout: z.number().positive().nullish().describe('Milliseconds.'),
});

interface OutputFile {
  id: string;
  name: string;
  session_id: string;
  storage_session_id: string;
  path: string;
}

export interface ExecAnswer {
  session_id: string;
  stdout: string;
  stderr: string;
  files: OutputFile[];
  code: number | null;
  signal: string | null;
  message: string | null;
  /** In Piston's words; null where the program came to its end with code 0. */
  status: 'RE' | 'SG' | 'TO' | 'XX' | null;
  /** Milliseconds. */
  wall_time: number | null;
}

/** POST /exec. Throws LibreChatError, ServiceError: what the program does wrong is an answer. */
export async function execute(
  behind: Behind,
  body: z.infer<typeof execBody>,
  call: Call,
): Promise<ExecAnswer> {
  const { requestSchema, shelf, piston } = behind;
  const where = await runnable(body.lang, piston, call.signal);
  const placed = await takeFiles(behind, body.files ?? [], call);
  const request = asked(requestSchema, {
    code: body.code,
    language: where.language,
    args: [body.args ?? []].flat(),
    ...(body.timeout && { timeout_seconds: body.timeout / 1000 }),
  });
  const session = newId();
  const files: OutputFile[] = [];
  const keep = async (path: string, bytes: Buffer, keeping: AbortSignal) => {
    const id = newId();
    await shelf.put({ folder: session, id, caller: call.caller, name: path }, bytes, keeping);
    files.push({
      id,
      name: path,
      session_id: session,
      storage_session_id: session,
      path: `/mnt/data/${path}`,
    });
  };
  const run = { placed, interpreter: where.interpreter, recursive: true, keep };
  const { result, lost } = await runWithFiles(behind, request, run, call);
  return answerOf(result, session, files, lost);
}

async function takeFiles(
  { shelf, settings }: Pick<Behind, 'shelf' | 'settings'>,
  refs: readonly z.infer<typeof fileRef>[],
  { caller, signal }: Call,
): Promise<Placed[]> {
  if (refs.length > settings.inputFiles)
    throw new LibreChatError(413, `There are more than ${settings.inputFiles} files`);
  const placed: Placed[] = [];
  let size = 0;
  for (const ref of refs) {
    const { bytes } = await readFile(shelf, { session: sessionOf(ref) ?? '', file: ref.id }, caller, signal);
    size += bytes.length;
    if (size > settings.inputBytes)
      throw new LibreChatError(413, `The files are larger than ${settings.inputBytes} bytes together`);
    placed.push({ path: pathOf(ref.name), bytes });
  }
  return placed;
}

/** A result in LibreChat's words. */
export function answerOf(
  result: ExecutionResult,
  session: string,
  files: OutputFile[],
  lost: readonly string[],
): ExecAnswer {
  const { status, stdout, stderr, exit_code, signal, timings } = result;
  const reason = reasonOf(result);
  // Its clients show a model both streams, and nothing else of an answer.
  const notes = [...(status === 'timed_out' ? [reason] : []), ...notesOf(result, lost)];
  return {
    session_id: session,
    stdout: stdout === '' || stdout.endsWith('\n') ? stdout : `${stdout}\n`,
    stderr: withLines(stderr, notes),
    files,
    code: exit_code,
    signal,
    message: status === 'succeeded' ? null : reason,
    status: statusOf(result),
    wall_time: timings.ran === null ? null : Math.round(timings.ran * 1000),
  };
}

function statusOf({ status, signal }: ExecutionResult): ExecAnswer['status'] {
  switch (status) {
    case 'succeeded':
      return null;
    case 'failed':
      return signal === null ? 'RE' : 'SG';
    case 'timed_out':
      return 'TO';
    case 'out_of_memory':
      return 'SG';
    case 'cancelled':
    case 'evicted':
    case 'node_lost':
    case 'unknown':
      return 'XX';
  }
}

/** Clients name the session of a file in one of two ways. */
function sessionOf({
  session_id,
  storage_session_id,
}: {
  session_id?: string | undefined;
  storage_session_id?: string | undefined;
}): string | undefined {
  return session_id ?? storage_session_id;
}

/** "data/a.csv", and "/mnt/data/data/a.csv" too, as a path below the workspace. */
function pathOf(name: string): string {
  const parsed = workspacePath.safeParse(name.replace(/^\/mnt\/data\//, ''));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LibreChatError(
    400,
    `files: the name "${name.slice(0, 100)}" cannot be used: ${issue?.message ?? ''}`,
  );
}

function asked(schema: ExecutionRequestSchema, given: ExecutionRequestInput): ExecutionRequest {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new LibreChatError(400, parsed.error.issues.map(({ message }) => message).join('; '));
}
