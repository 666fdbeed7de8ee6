import { createDecoder } from '../output/decoder.ts';
import type { Frame } from '../output/frame.ts';
import { type Limits, type Program, SandboxLost } from '../schedule/backend.ts';

/** One line of the agent's stdin. */
export function requestLine(executionId: string, program: Program, limits: AgentLimits): Buffer {
  return Buffer.from(`${JSON.stringify({ type: 'run', execution_id: executionId, ...program, limits })}\n`);
}

export function helloLine(preload: readonly string[]): Buffer {
  return Buffer.from(`${JSON.stringify({ type: 'hello', preload })}\n`);
}

/** What the agent enforces by itself. */
export interface AgentLimits {
  seconds: number;
  output_bytes: number;
  processes: number;
  file_bytes: number;
  memory_bytes: number | null;
}

export function agentLimits(
  limits: Limits,
  settings: { outputBytes: number; maxProcesses: number; workspaceMb: number },
  memoryBytes: number | null,
): AgentLimits {
  return {
    seconds: limits.seconds,
    output_bytes: settings.outputBytes,
    processes: settings.maxProcesses,
    file_bytes: settings.workspaceMb * 1_048_576,
    memory_bytes: memoryBytes,
  };
}

/** Time beyond its limit after which a run is given up although its agent is silent. */
const guardSeconds = 15;

/** Aborts when a run should have ended by itself long ago. */
export function overdue(limits: Pick<Limits, 'seconds'>): AbortSignal {
  return AbortSignal.timeout((limits.seconds + guardSeconds) * 1000);
}

/** Where frames can be read: bytes as they come, and whether they start at the first frame. */
export interface Source {
  bytes: AsyncIterable<Uint8Array>;
  fromStart: boolean;
}

/**
 * Yields a run's frames in order, each once, up to `exit`. A source that ends early or lacks a frame hands over to the
 * next, which is asked for only then. `onExit` comes before `exit` is yielded. Returns the last line that was no frame.
 */
export async function* readFrames(
  nextSource: () => Promise<Source | undefined>,
  onExit: () => void = () => undefined,
): AsyncGenerator<Frame, { stray: string | undefined }> {
  const decoder = createDecoder();
  for (let source = await nextSource(); source; source = await nextSource()) {
    decoder.restart();
    for await (const bytes of source.bytes) {
      const frames = decoder.push(bytes);
      // The record itself lacks a frame: it is gone for good.
      while (decoder.gap && source.fromStart) frames.push(...decoder.skipGap());
      for (const frame of frames) {
        if (frame.type === 'ready') continue;
        if (frame.type === 'exit') onExit();
        yield frame;
        if (frame.type === 'exit') return { stray: decoder.stray };
      }
      if (decoder.gap) break;
    }
  }
  return { stray: decoder.stray };
}

/** The agent's answer to a hello: the modules that could not be imported, and why. Throws SandboxLost if none comes. */
export async function readReady(bytes: AsyncIterable<Uint8Array>): Promise<Record<string, string>> {
  const decoder = createDecoder();
  for await (const chunk of bytes) {
    for (const frame of decoder.push(chunk)) if (frame.type === 'ready') return frame.failed;
  }
  throw new SandboxLost('unknown', `The sandbox ended before it was ready. ${decoder.stray ?? ''}`.trim());
}
