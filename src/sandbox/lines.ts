import type { InputChunk, Program } from '../schedule/backend.ts';
import type { AgentLimits } from './conversation.ts';

/** Bytes of a file that is written, in one line at most: the agent takes 1 MiB. */
const chunkBytes = 524_288;

/** One line of the agent's stdin. */
export function requestLine(executionId: string, program: Program, limits: AgentLimits): Buffer {
  const { code, stdin, args, env, environment, mode } = program;
  return line({ type: 'run', execution_id: executionId, code, stdin, args, env, environment, mode, limits });
}

export function helloLine(preload: readonly string[]): Buffer {
  return line({ type: 'hello', preload });
}

export function fileLine({ path, bytes }: InputChunk): Buffer {
  return line({ type: 'file', path, base64: base64(bytes) });
}

/** Ends a run and leaves its sandbox. */
export function stopLine(executionId: string): Buffer {
  return line({ type: 'stop', execution_id: executionId });
}

/** An empty file takes a line, too. */
export function* writeLines(path: string, bytes: Uint8Array): Generator<Buffer> {
  for (let begin = 0; begin === 0 || begin < bytes.length; begin += chunkBytes) {
    const end = begin + chunkBytes;
    yield line({ type: 'write', path, base64: base64(bytes.subarray(begin, end)), more: end < bytes.length });
  }
}

export function listLine(path: string, recursive: boolean): Buffer {
  return line({ type: 'list', path, recursive });
}

export function readLine(path: string, most: number): Buffer {
  return line({ type: 'read', path, most });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function line(message: object): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}
