/** What the agent writes, one JSON line each. ARCHITECTURE.md has the contract. */
export type Frame =
  | { seq: number; type: 'ready'; python: string; failed: Record<string, string> }
  | {
      seq: number;
      type: 'started';
      execution_id: string;
      /** Whether the interpreter has run cells before this one, and has their variables. Absent where none ever stays. */
      kept?: boolean;
    }
  | { seq: number; type: 'stdout' | 'stderr'; text: string }
  | { seq: number; type: 'stdout' | 'stderr'; base64: string }
  | ExitFrame
  | FileFrame
  | WorkspaceFrame;

export interface ExitFrame {
  seq: number;
  type: 'exit';
  /** `stopped`: its server asked for that. */
  cause: 'exited' | 'timed_out' | 'out_of_memory' | 'environment_missing' | 'stopped';
  exit_code: number | null;
  signal: string | null;
  stdout_bytes: number;
  stderr_bytes: number;
  ran_seconds: number;
  /** Whether the interpreter goes on, with its variables. */
  kept: boolean;
  /** How many files follow, and how many are left out. Where both are 0 this is the last frame, else `end` is. */
  files: number;
  left_out: number;
  /** Of a run that no agent saw. */
  told?: Told;
}

/** What is known of a run's end beside the rest of `exit`. */
export interface Told {
  /** How it ended and what to change, in place of the usual sentence. */
  message: string | undefined;
  hints: string[];
  /** Whether output was lost that nobody counted. */
  truncated: boolean;
}

/** What a run leaves behind: the value of its last expression, its figures, its files below output/. */
export type FileFrame =
  | { seq: number; type: 'file'; kind: FileKind; path: string; size: number }
  | { seq: number; type: 'data'; base64: string }
  | { seq: number; type: 'file_end'; size: number }
  | { seq: number; type: 'left_out'; path: string; reason: LeftOutReason }
  | { seq: number; type: 'end' };

/** `read` is a file that was asked for. */
export type FileKind = 'text' | 'html' | 'figure' | 'output' | 'read';

/** Answers to what was asked about the workspace between runs; what is read comes as `file`, `data` and `file_end`. */
export type WorkspaceFrame =
  | { seq: number; type: 'written'; path: string; size: number }
  | {
      seq: number;
      type: 'entry';
      path: string;
      kind: 'file' | 'folder' | 'other';
      size: number;
      modified: number;
    }
  | { seq: number; type: 'listed'; entries: number; left_out: number }
  | {
      seq: number;
      type: 'refused';
      path: string;
      reason: RefusedReason;
      /** Of a file that is too large to be read. */
      size?: number;
    };

/** `type`: no regular file (or no folder), or behind a link. `size`: larger than asked for. */
export type RefusedReason = 'missing' | 'type' | 'name' | 'size' | 'full' | 'unreadable';

export type LeftOutReason = 'type' | 'count' | 'size' | 'name' | 'unreadable';

/** Whether a frame is of what the run leaves behind. */
export function isOfFiles(frame: { type: string }): frame is FileFrame {
  return ['file', 'data', 'file_end', 'left_out', 'end'].includes(frame.type);
}

/** Whether nothing comes after a frame. */
export function isLast(frame: Frame): boolean {
  return frame.type === 'end' || (frame.type === 'exit' && frame.files === 0 && frame.left_out === 0);
}

export type OutputFrame = Extract<Frame, { type: 'stdout' | 'stderr' }>;

/** Whether a frame is the last of an answer about the workspace. */
export function endsAnswer({ type }: Frame): boolean {
  return ['written', 'listed', 'refused', 'file_end'].includes(type);
}

/** The bytes that an output frame carries. */
export function frameBytes(frame: OutputFrame): Buffer {
  return 'text' in frame ? Buffer.from(frame.text, 'utf8') : Buffer.from(frame.base64, 'base64');
}

/** A frame, or undefined for a line that is none. Only the agent writes lines, so only the kind is checked. */
export function parseFrame(line: string): Frame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isFrame(value) ? value : undefined;
}

function isFrame(value: unknown): value is Frame {
  if (typeof value !== 'object' || value === null || !('seq' in value) || !('type' in value)) return false;
  if (!Number.isInteger(value.seq)) return false;
  switch (value.type) {
    case 'ready':
      return 'failed' in value;
    case 'started':
      return 'execution_id' in value;
    case 'stdout':
    case 'stderr':
      return 'text' in value || 'base64' in value;
    case 'exit':
      return 'cause' in value && 'stdout_bytes' in value && 'stderr_bytes' in value;
    case 'file':
      return 'kind' in value && 'path' in value && 'size' in value;
    case 'data':
      return 'base64' in value;
    case 'file_end':
      return 'size' in value;
    case 'left_out':
      return 'path' in value && 'reason' in value;
    case 'end':
      return true;
    case 'written':
      return 'path' in value && 'size' in value;
    case 'entry':
      return 'path' in value && 'kind' in value && 'size' in value && 'modified' in value;
    case 'listed':
      return 'entries' in value && 'left_out' in value;
    case 'refused':
      return 'path' in value && 'reason' in value;
    default:
      return false;
  }
}
