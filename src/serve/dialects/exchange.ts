import { StoreError } from '../../artifacts/blobs.ts';
import { ServiceError } from '../../result/errors.ts';
import { type Entry, SandboxLost, type WorkspaceFiles } from '../../schedule/backend.ts';
import type { Around } from '../../schedule/run.ts';

/** A file that a program finds in its working directory. */
export interface Placed {
  path: string;
  bytes: Buffer;
}

/** What becomes of the files that a program leaves behind. */
export interface Leaving {
  /** Also those in folders, but for hidden folders and Python's caches. */
  recursive: boolean;
  maxFiles: number;
  /** Of one file, and of all together. */
  maxFileBytes: number;
  maxBytes: number;
  /** Takes a file that is new or changed. Throws StoreError where it cannot be kept. */
  keep(path: string, bytes: Buffer, signal: AbortSignal): Promise<unknown>;
}

export interface Exchange extends Around {
  /** The files that were left behind and not kept, each with its reason: what its caller must be told. */
  lost: string[];
}

/**
 * Puts files into the working directory, and hands over what is new or changed there when the program has ended. `written`
 * are those files by the names under which they are put there, and what else the program needs.
 */
export function createExchange(
  placed: readonly Placed[],
  written: readonly Placed[],
  leaving: Leaving,
): Exchange {
  const given = new Map(placed.map(({ path, bytes }) => [path, bytes]));
  const lost: string[] = [];
  let before = new Map<string, Entry>();
  async function handOver(files: WorkspaceFiles, signal: AbortSignal): Promise<void> {
    const { entries, left_out } = await files.list('', leaving, signal);
    if (left_out > 0) lost.push(`${left_out} more files and folders than are listed`);
    let count = 0;
    let room = leaving.maxBytes;
    for (const entry of entries.filter((each) => isNew(each, before.get(each.path)))) {
      const { path, size } = entry;
      const fault = faultOf(entry, count, room, leaving);
      if (fault !== undefined) {
        lost.push(lostFile(path, fault));
        continue;
      }
      try {
        const bytes = await files.read(path, Math.min(room, leaving.maxFileBytes), signal);
        if (given.get(path)?.equals(bytes)) continue; // written again as it was
        await leaving.keep(path, bytes, signal);
        count += 1;
        room -= size;
      } catch (error) {
        if (error instanceof StoreError) {
          lost.push(
            lostFile(`${path} and what comes after it`, `the store of files failed: ${error.message}`),
          );
          return;
        }
        if (!(error instanceof ServiceError)) throw error;
        lost.push(lostFile(path, error.message));
      }
    }
  }

  return {
    lost,
    async before(files, signal) {
      for (const { path, bytes } of written) await files.write(path, bytes, signal);
      if (written.length === 0) return; // a fresh workspace has no files
      const { entries } = await files.list('', leaving, signal);
      before = new Map(entries.map((entry) => [entry.path, entry]));
    },
    after: (files, signal) => tellingLoss(lost, handOver(files, signal)),
  };
}

/** A sandbox that is lost after its program leaves the result as it is: that its files are lost, too, is told with them. */
export async function tellingLoss(lost: string[], work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SandboxLost) lost.push('all that was not read before the sandbox was lost');
    throw error;
  }
}

/** A file that is not kept, and why. */
export function lostFile(path: string, reason: string): string {
  return `${path} (${reason.replace(/\.$/, '')})`;
}

function isNew({ path, kind, size, modified }: Entry, before: Entry | undefined): boolean {
  const folders = path.split('/').slice(0, -1);
  if (kind === 'folder' || folders.some((name) => name.startsWith('.') || name === '__pycache__'))
    return false;
  return before?.size !== size || before.modified !== modified;
}

function faultOf(
  { kind, size }: Entry,
  count: number,
  room: number,
  { maxFiles, maxFileBytes }: Leaving,
): string | undefined {
  if (kind !== 'file') return 'no regular file';
  if (count >= maxFiles) return `more than ${maxFiles} files`;
  if (size > maxFileBytes) return `${size} bytes; the limit is ${maxFileBytes}`;
  return size > room ? 'no room: the files together are too large' : undefined;
}
