import type { FileFrame, Frame, LeftOutReason } from './frame.ts';

/** The agent's own bounds; what comes beyond them is not kept. */
const maxBytes = { text: 65_536, html: 262_144 };

/** What a run leaves beside its streams and files. */
export interface Aside {
  /** The value of the last expression. */
  value: { text: string; html: string | null } | null;
  leftOut: { total: number; files: { path: string; reason: LeftOutReason }[] };
}

/** Picks it out of all frames. */
export function createAside() {
  const chunks: Record<'text' | 'html', Buffer[]> = { text: [], html: [] };
  const room = { ...maxBytes };
  const leftOut: Aside['leftOut'] = { total: 0, files: [] };
  let hasValue = false;
  let open: Extract<FileFrame, { type: 'file' }>['kind'] | undefined;
  return {
    add(frame: Frame): void {
      if (frame.type === 'exit') leftOut.total = frame.left_out;
      else if (frame.type === 'left_out') leftOut.files.push({ path: frame.path, reason: frame.reason });
      else if (frame.type === 'file') {
        open = frame.kind;
        hasValue ||= open === 'text';
      } else if (frame.type === 'data' && (open === 'text' || open === 'html')) {
        const bytes = Buffer.from(frame.base64, 'base64').subarray(0, room[open]);
        room[open] -= bytes.length;
        chunks[open].push(bytes);
      }
    },
    read(): Aside {
      const html = chunks.html.length > 0 ? Buffer.concat(chunks.html).toString('utf8') : null;
      const value = hasValue ? { text: Buffer.concat(chunks.text).toString('utf8'), html } : null;
      return { value, leftOut };
    },
  };
}
