import { createAside, type Aside } from './aside.ts';
import { frameBytes, type ExitFrame, type Frame, type OutputFrame } from './frame.ts';

/** What a run wrote, as far as it was kept, and how it ended. */
export interface Capture {
  stdout: Buffer;
  stderr: Buffer;
  started: boolean;
  exit: ExitFrame | undefined;
  /** Frames of output that no source had. */
  missingFrames: number;
  aside: Aside;
}

/** Adds up frames. The agent bounds what they carry; `limitBytes` holds a stream to it whatever comes. */
export function createCapture(limitBytes: number) {
  const chunks: Record<OutputFrame['type'], Buffer[]> = { stdout: [], stderr: [] };
  const kept: Record<OutputFrame['type'], number> = { stdout: 0, stderr: 0 };
  let started = false;
  let exit: ExitFrame | undefined;
  let last: number | undefined;
  let missingFrames = 0;
  const aside = createAside();
  return {
    add(frame: Frame): void {
      // What is missing of a file, its artifact says.
      if (!exit) missingFrames += frame.seq - (last ?? frame.seq - 1) - 1;
      last = frame.seq;
      aside.add(frame);
      if (frame.type === 'started') started = true;
      if (frame.type === 'exit') exit = frame;
      if (frame.type !== 'stdout' && frame.type !== 'stderr') return;
      const bytes = frameBytes(frame).subarray(0, limitBytes - kept[frame.type]);
      kept[frame.type] += bytes.length;
      chunks[frame.type].push(bytes);
    },
    read(): Capture {
      return {
        stdout: Buffer.concat(chunks.stdout),
        stderr: Buffer.concat(chunks.stderr),
        started,
        exit,
        missingFrames,
        aside: aside.read(),
      };
    },
  };
}

/** The end of what was written last, for a progress message: one line of at most 200 characters. */
export function lastLine(frame: OutputFrame): string | undefined {
  return frameBytes(frame).toString('utf8').trimEnd().split('\n').at(-1)?.slice(-200);
}
