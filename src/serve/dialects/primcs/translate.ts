import { z } from 'zod';
import type { ExecutionRequest, ExecutionRequestInput } from '../../../request/execution.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import { leftOutReasons } from '../../../result/hints.ts';
import type { WorkspaceListing } from '../../../result/session.ts';
import type { Entry } from '../../../schedule/backend.ts';
import { mimeTypeOf, nameOf } from '../../../artifacts/store.ts';
import { lostFile } from '../exchange.ts';
import { notesOf, some, withLines } from '../notes.ts';
import { Fault, pipFailed } from './fault.ts';
import { joined } from './paths.ts';

/** The longest code (characters). */
const maxCharacters = 20_000;
/** PRIMCS lets code run for so long. */
const runSeconds = 100;

/** The arguments of run_code. Lists may be null. */
export const runArguments = z.object({
  code: z.string(),
  requirements: z
    .array(z.string())
    .nullish()
    .transform((given) => given ?? []),
  files: z
    .array(z.record(z.string(), z.string()))
    .nullish()
    .transform((given) => given ?? []),
});

export type RunArguments = z.infer<typeof runArguments>;

/** What run_code answers, in the order of its fields. */
export interface RunResult {
  stdout: string;
  stderr: string;
  artifacts: RunArtifact[];
  session_id?: string;
  feedback?: string;
}

export interface RunArtifact {
  name: string;
  relative_path: string;
  size: number;
  mime: string;
}

export interface DirectoryEntry {
  name: string;
  path: string;
  type: 'file' | 'directory';
  size: number;
  modified: string;
}

const feedback = [
  'stdout is empty. Only what the code prints comes back: write print(df.head()), because the value of an expression alone is not shown.',
  "For wide tables, call pd.set_option('display.max_columns', None) and pd.set_option('display.width', 10000) first.",
  'The code must be one whole script. Files are at mounts/<mountPath>; what is written to output/ comes back as an artifact.',
].join(' ');

export function checkLength(code: string): void {
  // A character is two units at most: a code of megabytes is not taken apart to be counted.
  const isLonger = code.length > 2 * maxCharacters || Array.from(code).length > maxCharacters;
  if (isLonger) throw new Fault('Code block too large (20k char limit)');
}

/** How long code may run here (seconds). */
export function secondsOf({ maxTimeoutSeconds }: { maxTimeoutSeconds: number }): number {
  return Math.min(runSeconds, maxTimeoutSeconds);
}

/** A call as a request, checked as any other. In a session it has an interpreter of its own. Throws Fault. */
export function toRequest(
  { code, requirements, files }: RunArguments,
  schema: z.ZodType<ExecutionRequest>,
  { seconds, session }: { seconds: number; session: string | undefined },
): ExecutionRequest {
  const request: ExecutionRequestInput = {
    code: dedent(code),
    requirements,
    files: files.map(mountOf),
    timeout_seconds: seconds,
    ...(session !== undefined && { session_id: session, fresh_interpreter: true }),
  };
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const isOfPackages = issues.some(({ path: [field] }) => field === 'requirements');
  const text = issues.map(({ message }) => message).join('; ');
  throw new Fault(isOfPackages ? pipFailed(text) : text);
}

function mountOf({ url = '', mountPath = '' }: Record<string, string>) {
  if (mountPath === '') throw new Fault("Each file entry must include a non-empty 'mountPath' key.");
  if (url === '') throw new Fault("Each file entry must include a non-empty 'url' key.");
  return { path: joined(mountPath), url };
}

/** Without the white space that all lines begin with: some clients indent whole scripts. */
export function dedent(text: string): string {
  const lines = text.split('\n').map((line) => (/^[ \t]+$/.test(line) ? '' : line));
  const indents = lines.filter((line) => line !== '').map((line) => /^[ \t]*/.exec(line)?.[0] ?? '');
  const common = indents.reduce(commonStart, indents[0] ?? '');
  return common === '' ? text : lines.map((line) => line.slice(common.length)).join('\n');
}

function commonStart(one: string, other: string): string {
  const end = Array.from(one).findIndex((character, index) => character !== other[index]);
  return end === -1 ? one : one.slice(0, end);
}

/** The answer to a run whose artifacts are these. Throws Fault where it did not come to its own end. */
export function toAnswer(
  result: ExecutionResult,
  artifacts: RunArtifact[],
  { seconds, session, lost }: { seconds: number; session: string | undefined; lost: readonly string[] },
): RunResult {
  const { status, stdout, stderr, message } = result;
  if (status === 'timed_out') throw new Fault(`Execution timed out after ${seconds}s`);
  if (status !== 'succeeded' && status !== 'failed' && status !== 'out_of_memory') throw new Fault(message);
  return {
    stdout,
    stderr: withLines(stderr, notesOf(result, lost)),
    artifacts,
    ...(session !== undefined && { session_id: session }),
    ...(stdout === '' && { feedback }),
  };
}

/** What a run without a session has left below output/. */
export function artifactsOf({ artifacts }: ExecutionResult): RunArtifact[] {
  return artifacts.filter(({ kind }) => kind === 'output').map(({ path, size }) => toArtifact(path, size));
}

/** What it has left that is not among them. */
export function leftOutOf({ left_out: { total, files } }: ExecutionResult): string[] {
  const named = files.map(({ path, reason }) => lostFile(path, leftOutReasons[reason]));
  return total > 0 ? [some(named, total)] : [];
}

/** All that is below output/ of a session. */
export function artifactsIn(entries: readonly Pick<Entry, 'path' | 'kind' | 'size'>[]): RunArtifact[] {
  return entries
    .filter(({ kind }) => kind === 'file')
    .map(({ path, size }) => toArtifact(path.replace(/^output\//, ''), size));
}

function toArtifact(relative_path: string, size: number): RunArtifact {
  const name = nameOf(relative_path);
  return { name, relative_path, size, mime: mimeTypeOf(name) };
}

/** A folder as list_dir tells it. Times are UTC, and do not say so. */
export function toEntries({ entries }: Pick<WorkspaceListing, 'entries'>): DirectoryEntry[] {
  return entries.map(({ path, kind, size, modified }) => ({
    name: nameOf(path),
    path,
    type: kind === 'folder' ? 'directory' : 'file',
    size,
    modified: modified.replace(/Z$/, ''),
  }));
}
