/** What the agent writes, one JSON line each. ARCHITECTURE.md has the contract. */
export type Frame =
  | { seq: number; type: 'ready'; python: string; failed: Record<string, string> }
  | { seq: number; type: 'started'; execution_id: string }
  | { seq: number; type: 'stdout' | 'stderr'; text: string }
  | { seq: number; type: 'stdout' | 'stderr'; base64: string }
  | ExitFrame;

export interface ExitFrame {
  seq: number;
  type: 'exit';
  cause: 'exited' | 'timed_out' | 'out_of_memory';
  exit_code: number | null;
  signal: string | null;
  stdout_bytes: number;
  stderr_bytes: number;
  ran_seconds: number;
}

export type OutputFrame = Extract<Frame, { type: 'stdout' | 'stderr' }>;

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
    default:
      return false;
  }
}
