import type { Artifact, ExecutionResult, Status, Timings } from './execution-result.ts';
import { explain } from './message.ts';
import { decodeUtf8 } from './utf8.ts';

/** How the program ended, as its agent saw it. */
export interface Exit {
  cause: 'exited' | 'timed_out' | 'out_of_memory';
  exit_code: number | null;
  signal: string | null;
  stdout_bytes: number;
  stderr_bytes: number;
  /** What is known of the end beside this. */
  told?: { message: string | undefined; hints: string[]; truncated: boolean };
}

/** How the sandbox ended, where its agent could not say. */
export interface Loss {
  status: Exclude<Status, 'succeeded' | 'failed'>;
  message: string;
}

export interface Ending {
  executionId: string;
  stdout: Buffer;
  stderr: Buffer;
  end: Exit | Loss;
  limits: { seconds: number; memory_mb: number };
  timings: Timings;
  hints: string[];
  /** Frames that no source had. */
  missingFrames: number;
  value: ExecutionResult['value'];
  artifacts: Artifact[];
  leftOut: ExecutionResult['left_out'];
}

/** The one result shape, from how a run ended. */
export function buildResult(ending: Ending): ExecutionResult {
  const { end } = ending;
  const exit = 'cause' in end ? end : undefined;
  const told = exit?.told;
  const status = 'cause' in end ? statusOf(end) : end.status;
  const stdout = decode(ending.stdout);
  const stderr = decode(ending.stderr);
  const stdoutBytes = Math.max(exit?.stdout_bytes ?? 0, ending.stdout.length);
  const stderrBytes = Math.max(exit?.stderr_bytes ?? 0, ending.stderr.length);
  const dropped = { stdout: stdoutBytes - ending.stdout.length, stderr: stderrBytes - ending.stderr.length };
  const truncated =
    dropped.stdout > 0 || dropped.stderr > 0 || ending.missingFrames > 0 || told?.truncated === true;
  return {
    execution_id: ending.executionId,
    status,
    exit_code: exit?.exit_code ?? null,
    signal: exit?.signal ?? null,
    stdout: stdout.text,
    stderr: stderr.text,
    stdout_base64: stdout.base64,
    stderr_base64: stderr.base64,
    stdout_bytes: stdoutBytes,
    stderr_bytes: stderrBytes,
    truncated,
    message:
      told?.message ??
      explain({ status, exit, loss: 'status' in end ? end.message : undefined, limits: ending.limits }),
    value: ending.value,
    artifacts: ending.artifacts,
    left_out: ending.leftOut,
    hints: [...droppedHints(dropped, ending.missingFrames), ...(told?.hints ?? []), ...ending.hints],
    timings: roundTimings(ending.timings),
  };
}

function statusOf(exit: Exit): Status {
  if (exit.cause !== 'exited') return exit.cause;
  return exit.exit_code === 0 ? 'succeeded' : 'failed';
}

/** To the microsecond: what lies below is noise. */
function roundTimings(timings: Timings): Timings {
  const round = (seconds: number | null) => (seconds === null ? null : Math.round(seconds * 1e6) / 1e6);
  const { environment, queued, scheduled, started, ran, total } = timings;
  return {
    environment: round(environment),
    queued: round(queued),
    scheduled: round(scheduled),
    started: round(started),
    ran: round(ran),
    total: round(total),
  };
}

function decode(bytes: Buffer): { text: string; base64: string | null } {
  const text = decodeUtf8(bytes);
  return text === undefined
    ? { text: bytes.toString('utf8'), base64: bytes.toString('base64') }
    : { text, base64: null };
}

function droppedHints(dropped: { stdout: number; stderr: number }, missingFrames: number): string[] {
  const hints = Object.entries(dropped)
    .filter(([, bytes]) => bytes > 0)
    .map(
      ([stream, bytes]) =>
        `${stream} is cut: its last ${bytes} bytes were dropped. Print less, or print a summary.`,
    );
  if (missingFrames > 0) {
    hints.push(`${missingFrames} pieces of output were lost between the sandbox and the server.`);
  }
  return hints;
}
