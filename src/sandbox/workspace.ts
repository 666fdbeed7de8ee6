import type { Frame, RefusedReason } from '../output/frame.ts';
import { ServiceError } from '../result/errors.ts';
import type { Entry, WorkspaceFiles } from '../schedule/backend.ts';
import { listLine, readLine, writeLines } from './lines.ts';

/** Sends lines and shows each frame of the answer. */
type Ask = (lines: Iterable<Uint8Array>, take: (frame: Frame) => void, signal: AbortSignal) => Promise<void>;

/** The workspace of a sandbox, as its agent has it. */
export function workspaceFiles(ask: Ask): WorkspaceFiles {
  /** Throws where the agent refuses. */
  async function asked(lines: Iterable<Uint8Array>, take: (frame: Frame) => void, signal: AbortSignal) {
    let refused: ServiceError | undefined;
    const look = (frame: Frame) => {
      if (frame.type === 'refused') refused = refusal(frame);
      else take(frame);
    };
    await ask(lines, look, signal);
    if (refused) throw refused;
  }

  return {
    async write(path, bytes, signal) {
      await asked(writeLines(path, bytes), () => undefined, signal);
    },
    async list(path, { recursive }, signal) {
      const entries: Entry[] = [];
      let left = 0;
      const take = (frame: Frame) => {
        if (frame.type === 'listed') left = frame.left_out;
        if (frame.type !== 'entry') return;
        entries.push({ path: frame.path, kind: frame.kind, size: frame.size, modified: frame.modified });
      };
      await asked([listLine(path, recursive)], take, signal);
      return { entries, left_out: left };
    },
    async read(path, maxBytes, signal) {
      const chunks: Buffer[] = [];
      let announced = 0;
      const take = (frame: Frame) => {
        if (frame.type === 'file') announced = frame.size;
        if (frame.type === 'data') chunks.push(Buffer.from(frame.base64, 'base64'));
      };
      await asked([readLine(path, maxBytes)], take, signal);
      const bytes = Buffer.concat(chunks);
      if (bytes.length === announced) return bytes;
      throw new ServiceError('file_unusable', `"${path}" changed while it was read.`);
    },
  };
}

const refusals: Record<Exclude<RefusedReason, 'size'>, (path: string) => ServiceError> = {
  missing: (path) => new ServiceError('file_not_found', `There is no "${path}" in the workspace.`),
  type: (path) =>
    new ServiceError('file_unusable', `"${path}" is not of the kind that was asked for, or behind a link.`),
  name: (path) => new ServiceError('file_unusable', `"${path}" is no path that can be used.`),
  full: (path) => new ServiceError('workspace_full', `The workspace has no room for "${path}".`),
  unreadable: (path) => new ServiceError('file_unusable', `"${path}" cannot be opened.`),
};

function refusal({ path, reason, size }: Extract<Frame, { type: 'refused' }>): ServiceError {
  if (reason !== 'size') return refusals[reason](path);
  const has =
    size === undefined ? 'more bytes than can be read' : `${size} bytes, which is more than can be read`;
  return new ServiceError('too_large', `"${path}" has ${has} at one time.`);
}
