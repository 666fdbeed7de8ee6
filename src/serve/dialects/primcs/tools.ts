import { z } from 'zod';
import { mimeTypeOf, nameOf } from '../../../artifacts/store.ts';
import { putBytes } from '../../../inputs/send.ts';
import type { ExecutionRequest } from '../../../request/execution.ts';
import { newExecutionId } from '../../../request/execution-id.ts';
import { ServiceError } from '../../../result/errors.ts';
import type { Listing, WorkspaceFiles } from '../../../schedule/backend.ts';
import type { Around } from '../../../schedule/run.ts';
import type { Call } from '../../tool-call.ts';
import type { Behind } from '../dialect.ts';
import { tellingLoss } from '../exchange.ts';
import { errorFeedback, Fault, wordsOf } from './fault.ts';
import { belowMounts, belowOutput, belowRoot, isPossible } from './paths.ts';
import * as translate from './translate.ts';

const previewBytes = 8192;
const largestPreview = 32_768;
const largestUpload = 20_971_520;

/** A call of a tool. `session` is the name that its client goes by; undefined where it has none. */
export interface ToolCall extends Omit<Call, 'building'> {
  session: string | undefined;
}

/** What a tool answers, as structured content, and in `note` what is said beside that. Throws Fault and ServiceError. */
type Tool = (given: unknown, call: ToolCall) => Promise<Answer>;

export type Answer = object & { note?: string };

export function toolsOf(behind: Behind): Map<string, Tool> {
  return new Map<string, Tool>([
    ['run_code', (given, call) => runCode(behind, given, call)],
    ['persist_artifact', (given, call) => persistArtifact(behind, given, call)],
    ['list_dir', (given, call) => listDir(behind, given, call)],
    ['preview_file', (given, call) => previewFile(behind, given, call)],
    ['mount_file', (given, call) => mountFile(behind, given, call)],
  ]);
}

async function runCode(behind: Behind, given: unknown, call: ToolCall): Promise<translate.RunResult> {
  const asked = argumentsOf(translate.runArguments, given);
  translate.checkLength(asked.code);
  try {
    const { sessions, settings, requestSchema } = behind;
    const seconds = translate.secondsOf(settings);
    const session = call.session === undefined ? undefined : await sessions.named(call.session, call);
    const request = translate.toRequest(asked, requestSchema, { seconds, session });
    const about = { seconds, session: call.session };
    if (session === undefined) {
      const result = await execute(behind, request, call);
      const lost = translate.leftOutOf(result);
      return translate.toAnswer(result, translate.artifactsOf(result), { ...about, lost });
    }
    const output = listingOutput();
    const result = await execute(behind, request, call, output);
    const { listed, lost } = output;
    return translate.toAnswer(result, translate.artifactsIn(listed.entries), { ...about, lost });
  } catch (error) {
    call.signal.throwIfAborted();
    throw new Fault(`${wordsOf(error)}${errorFeedback}`, { cause: error });
  }
}

function execute({ service }: Behind, request: ExecutionRequest, call: ToolCall, around?: Around) {
  const { caller, requestKey, signal, progress } = call;
  return service.execute(request, {
    executionId: newExecutionId(),
    caller,
    ...(requestKey !== undefined && { requestKey }),
    signal,
    onEvent: progress.see,
    ...(around && { around }),
  });
}

/** Exported for its test. What is below output/ when the run has ended, and before the next begins; nothing, where the program has taken it away. */
export function listingOutput(): Around & { listed: Listing; lost: string[] } {
  const output = {
    listed: { entries: [], left_out: 0 } as Listing,
    lost: [] as string[],
    before: () => Promise.resolve(),
    after: (files: WorkspaceFiles, signal: AbortSignal) => tellingLoss(output.lost, list(files, signal)),
  };
  async function list(files: WorkspaceFiles, signal: AbortSignal): Promise<void> {
    output.listed = (await unlessMissing(files.list('output', { recursive: true }, signal))) ?? output.listed;
    const { left_out } = output.listed;
    if (left_out > 0) output.lost.push(`${left_out} more files in output/`);
  }
  return output;
}

const mountArguments = z.object({ url: z.string(), mount_path: z.string() });

/** A run of no code brings the file: so it is fetched, counted and sealed as the files of any run. */
async function mountFile(behind: Behind, given: unknown, call: ToolCall) {
  const { url, mount_path } = argumentsOf(mountArguments, given);
  const mountPath = belowMounts(mount_path);
  const session = await behind.sessions.named(nameOfSession(call), call);
  const asked = { code: '', requirements: [], files: [{ url, mountPath }] };
  const request = translate.toRequest(asked, behind.requestSchema, {
    seconds: translate.secondsOf(behind.settings),
    session,
  });
  const result = await execute(behind, request, call);
  const why = result.stderr.trim();
  if (result.status !== 'succeeded') throw new Fault(why === '' ? result.message : why);
  const path = `mounts/${mountPath}`;
  const folder = path.slice(0, path.lastIndexOf('/'));
  const { entries } = await behind.sessions.list(session, folder, { recursive: false }, call);
  const mounted = entries.find((entry) => entry.path === path && entry.kind === 'file');
  if (!mounted) throw new Fault(`${path} is not there, though it was fetched.`);
  return { mounted_as: path, bytes: mounted.size };
}

const listArguments = z.object({ dir_path: z.string().nullish() });

async function listDir({ sessions }: Behind, given: unknown, call: ToolCall) {
  const path = belowRoot(argumentsOf(listArguments, given).dir_path ?? '');
  const session = await sessions.findNamed(nameOfSession(call), call);
  // A session begins with its first run: until then its workspace is empty.
  if (session === undefined && path === '') return { result: [] };
  const isPath = path === '' || isPossible(path);
  const listing =
    session !== undefined && isPath
      ? await unlessMissing(sessions.list(session, path, { recursive: false }, call))
      : undefined;
  if (!listing) throw new Fault('Specified path is not a directory');
  const result = translate.toEntries(listing);
  const { left_out } = listing;
  return left_out === 0 ? { result } : { result, note: `There are ${left_out} more, which are not listed.` };
}

const previewArguments = z.object({ relative_path: z.string() });

async function previewFile(behind: Behind, given: unknown, call: ToolCall) {
  const path = belowRoot(argumentsOf(previewArguments, given).relative_path);
  const bytes = await readNamed(behind, path, largestPreview, call, 'File too large for preview');
  if (!bytes) throw new Fault('File not found');
  const name = nameOf(path);
  const content = bytes.subarray(0, previewBytes).toString('utf8');
  return { name, path, size: bytes.length, mime: mimeTypeOf(name), content };
}

const persistArguments = z.object({ relative_path: z.string(), presigned_url: z.string() });

async function persistArtifact(behind: Behind, given: unknown, call: ToolCall) {
  const { relative_path, presigned_url } = argumentsOf(persistArguments, given);
  const path = belowOutput(relative_path);
  const tooLarge = `Artifact exceeds size limit (${largestUpload} bytes)`;
  const bytes = await readNamed(behind, path, largestUpload, call, tooLarge);
  if (!bytes) throw new Fault(`Artifact not found: ${relative_path}`);
  const status = await putBytes(presigned_url, bytes, behind.settings, call.signal);
  if (status < 200 || status >= 300) throw new Fault(`Upload failed with HTTP ${status}`);
  return { uploaded_bytes: bytes.length, status };
}

/** A file of the client's session. Undefined where there is none. */
async function readNamed(
  { sessions }: Behind,
  path: string,
  maxBytes: number,
  call: ToolCall,
  tooLarge: string,
): Promise<Buffer | undefined> {
  const session = await sessions.findNamed(nameOfSession(call), call);
  if (session === undefined || !isPossible(path)) return undefined;
  return await unlessMissing(sessions.read(session, path, maxBytes, call)).catch((error: unknown) => {
    throw error instanceof ServiceError && error.code === 'too_large' ? new Fault(tooLarge) : error;
  });
}

function nameOfSession({ session }: ToolCall): string {
  if (session === undefined)
    throw new Fault('Missing session_id; include mcp-session-id header or create session-aware client.');
  return session;
}

/** Undefined for what is not there, and for what is behind a link, which is never followed. */
async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ServiceError && ['file_not_found', 'file_unusable'].includes(error.code))
      return undefined;
    throw error;
  }
}

function argumentsOf<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Fault(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
