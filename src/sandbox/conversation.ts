import type { Decoder } from '../output/decoder.ts';
import type { Frame } from '../output/frame.ts';
import { type Limits, type Program, SandboxLost } from '../schedule/backend.ts';

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
  { outputBytes = settings.outputBytes, artifacts }: Pick<Program, 'outputBytes' | 'artifacts'> = {},
): AgentLimits {
  return {
    seconds: limits.seconds,
    output_bytes: outputBytes,
    processes: settings.maxProcesses,
    file_bytes: settings.workspaceMb * 1_048_576,
    memory_bytes: memoryBytes,
    artifact_files: artifacts === false ? 0 : settings.artifactFiles,
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
  /** The program is to end now; where it has ended, its files have the time that they had. */
  stops(): void;
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
  let hasEnded = false;
  return {
    overdue: late.signal,
    stops() {
      if (hasEnded) return;
      clearTimeout(timer);
      timer = within(0);
    },
    collects() {
      hasEnded = true;
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
 * Yields the frames of one answer in order, each once, to the one that `isEnd` knows. A source that ends early or lacks a
 * frame hands over to the next, which is asked for only then. `onFrame` sees each before it is yielded. The decoder is that
 * of the sandbox: what it has had before, it drops. Returns the last line that was no frame.
 */
export async function* readFrames(
  decoder: Decoder,
  isEnd: (frame: Frame) => boolean,
  nextSource: () => Promise<Source | undefined>,
  onFrame: (frame: Frame) => void = () => undefined,
): AsyncGenerator<Frame, { stray: string | undefined }> {
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
        if (isEnd(frame)) return { stray: decoder.stray };
      }
      if (decoder.gap) break;
    }
  }
  return { stray: decoder.stray };
}

/** The agent's answer to a hello: the modules that could not be imported, and why. Throws SandboxLost if none comes. */
export async function readReady(
  decoder: Decoder,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Record<string, string>> {
  for await (const chunk of bytes) {
    for (const frame of decoder.push(chunk)) if (frame.type === 'ready') return frame.failed;
  }
  throw new SandboxLost('unknown', `The sandbox ended before it was ready. ${decoder.stray ?? ''}`.trim());
}
