import type { ExitFrame, Frame } from '../../../src/output/frame.ts';

export type Unnumbered = Frame extends infer Each ? (Each extends Frame ? Omit<Each, 'seq'> : never) : never;

export const ready: Unnumbered = { type: 'ready', python: '3.13.5', failed: {} };
export const started: Unnumbered = { type: 'started', execution_id: 'id' };
export const out = (text: string): Unnumbered => ({ type: 'stdout', text });
export const err = (text: string): Unnumbered => ({ type: 'stderr', text });
export const rawOut = (bytes: Uint8Array): Unnumbered => ({
  type: 'stdout',
  base64: Buffer.from(bytes).toString('base64'),
});

export function exit(changes: Partial<ExitFrame> = {}): Omit<ExitFrame, 'seq'> {
  return {
    type: 'exit',
    cause: 'exited',
    exit_code: 0,
    signal: null,
    stdout_bytes: 0,
    stderr_bytes: 0,
    ran_seconds: 0.5,
    kept: false,
    files: 0,
    left_out: 0,
    ...changes,
  };
}

/** Numbered from 0, as an agent does. */
export function numbered(...frames: Unnumbered[]): Frame[] {
  return frames.map((frame, seq) => ({ seq, ...frame }));
}

/** As the agent writes them. */
export function lines(frames: Frame[]): Buffer {
  return Buffer.from(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
}
