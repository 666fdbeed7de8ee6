import { createDecoder } from '../output/decoder.ts';
import { type Frame, isLast } from '../output/frame.ts';
import { type InputChunk, type Limits, type Program, SandboxLost } from '../schedule/backend.ts';

/** One line of the agent's stdin. */
export function requestLine(executionId: string, program: Program, limits: AgentLimits): Buffer {
  const { code, stdin, args, env, environment } = program;
  return line({ type: 'run', execution_id: executionId, code, stdin, args, env, environment, limits });
}

export function helloLine(preload: readonly string[]): Buffer {
  return line({ type: 'hello', preload });
}

export function fileLine({ path, bytes }: InputChunk): Buffer {
  return line({ type: 'file', path, base64: Buffer.from(bytes).toString('base64') });
}

function line(message: object): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}

/** What the agent enforces by itself. */
export interface AgentLimits {
  seconds: number;
  output_bytes: number;
  processes: number;
  file_bytes: number;
  memory_bytes: number | null;
  artifact_files: number;
  artifact_bytes: number;
}

export interface AgentSettings {
  outputBytes: number;
  maxProcesses: number;
  workspaceMb: number;
  artifactFiles: number;
  artifactBytes: number;
}

export function agentLimits(
  limits: Limits,
  settings: AgentSettings,
  memoryBytes: number | null,
): AgentLimits {
  return {
    seconds: limits.seconds,
    output_bytes: settings.outputBytes,
    processes: settings.maxProcesses,
    file_bytes: settings.workspaceMb * 1_048_576,
    memory_bytes: memoryBytes,
    artifact_files: settings.artifactFiles,
    artifact_bytes: settings.artifactBytes,
  };
}

/** Time beyond its limit after which a run is given up although its agent is silent. */
const guardSeconds = 15;

/** How long an agent takes at most to hand out what its program left behind. */
export const collectSeconds = 60;

export interface Guard {
  /** Aborts when the sandbox should have ended by itself long ago. */
  overdue: AbortSignal;
  /** The program has ended, and its files follow. */
  collects(): void;
  end(): void;
}

export function createGuard(limits: Pick<Limits, 'seconds'>): Guard {
  const late = new AbortController();
  const within = (seconds: number) =>
    setTimeout(
      () => {
        late.abort();
      },
      (seconds + guardSeconds) * 1000,
    );
  let timer = within(limits.seconds);
  return {
    overdue: late.signal,
    collects() {
      clearTimeout(timer);
      timer = within(collectSeconds);
    },
    end() {
      clearTimeout(timer);
    },
  };
}

/** Where frames can be read: bytes as they come, and whether they start at the first frame. */
export interface Source {
  bytes: AsyncIterable<Uint8Array>;
  fromStart: boolean;
}

/**
 * Yields a run's frames in order, each once, to the last. A source that ends early or lacks a frame hands over to the
 * next, which is asked for only then. `onFrame` sees each before it is yielded. Returns the last line that was no frame.
 */
export async function* readFrames(
  nextSource: () => Promise<Source | undefined>,
  onFrame: (frame: Frame) => void = () => undefined,
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
        onFrame(frame);
        yield frame;
        if (isLast(frame)) return { stray: decoder.stray };
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
