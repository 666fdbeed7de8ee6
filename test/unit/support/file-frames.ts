import type { FileFrame, FileKind, Frame } from '../../../src/output/frame.ts';

type Unnumbered = FileFrame extends infer Each ? (Each extends FileFrame ? Omit<Each, 'seq'> : never) : never;

/** A file as the agent sends it, in pieces of so many bytes. */
export function fileFrames(
  path: string,
  bytes: string | Uint8Array,
  changes: { kind?: FileKind; announced?: number; sent?: number; piece?: number } = {},
): Frame[] {
  const data = Buffer.from(bytes);
  const { kind = 'output', announced = data.length, sent = data.length, piece = 12_000 } = changes;
  const pieces = Array.from({ length: Math.ceil(data.length / piece) }, (_, index) =>
    data.subarray(index * piece, (index + 1) * piece),
  );
  const frames: Unnumbered[] = [
    { type: 'file', path, kind, size: announced },
    ...pieces.map((each) => ({ type: 'data' as const, base64: each.toString('base64') })),
    { type: 'file_end', size: sent },
  ];
  return frames.map((frame, seq) => ({ seq, ...frame }));
}
