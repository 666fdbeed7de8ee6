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
  let announced = 0;
  let files = 0;
  let open: Extract<FileFrame, { type: 'file' }>['kind'] | undefined;
  return {
    add(frame: Frame): void {
      switch (frame.type) {
        case 'exit':
          announced = frame.files;
          leftOut.total = frame.left_out;
          break;
        case 'file':
          files += 1;
          open = frame.kind;
          hasValue ||= open === 'text';
          break;
        case 'data': {
          if (open !== 'text' && open !== 'html') break;
          const bytes = Buffer.from(frame.base64, 'base64').subarray(0, room[open]);
          room[open] -= bytes.length;
          chunks[open].push(bytes);
          break;
        }
        case 'left_out':
          leftOut.files.push({ path: frame.path, reason: frame.reason });
          break;
        case 'end':
          // What could not be sent in time was announced as a file.
          leftOut.total += announced - files;
          break;
        default:
      }
    },
    read(): Aside {
      const html = chunks.html.length > 0 ? Buffer.concat(chunks.html).toString('utf8') : null;
      const value = hasValue ? { text: Buffer.concat(chunks.text).toString('utf8'), html } : null;
      return { value, leftOut };
    },
  };
}
