import type { Shelf } from '../../../artifacts/shelf.ts';
import { ServiceError } from '../../../result/errors.ts';
import { unavailable } from '../../artifacts.ts';
import type { Placed } from '../exchange.ts';

/** Each file has a folder of its own: clients know it by its id alone. */
const only = 'python-interpreter';
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

interface Wanted {
  path: string;
  id: string;
}

/** The files of a request. Throws ServiceError, and what `missing` makes of one that is not there for this caller. */
export async function takeFiles(
  shelf: Shelf,
  wanted: readonly Wanted[],
  missing: (file: Wanted) => Error,
  most: { inputFiles: number; inputBytes: number },
  { caller, signal }: { caller: string; signal: AbortSignal },
): Promise<Placed[]> {
  const taken: Placed[] = [];
  let size = 0;
  if (wanted.length > most.inputFiles)
    throw new ServiceError('too_large', `There are more than ${most.inputFiles} files.`);
  for (const file of wanted) {
    const found = await readFile(shelf, file.id, caller, signal);
    if (!found) throw missing(file);
    size += found.bytes.length;
    if (size > most.inputBytes)
      throw new ServiceError('too_large', `The files together are larger than ${most.inputBytes} bytes.`);
    taken.push({ path: file.path, bytes: found.bytes });
  }
  return taken;
}

/** Undefined where there is none for this caller. Throws ServiceError. */
export async function readFile(
  shelf: Shelf,
  id: string,
  caller: string,
  signal: AbortSignal,
): Promise<{ name: string; bytes: Buffer } | undefined> {
  if (!idPattern.test(id)) return undefined;
  const found = await shelf.get(id, only, caller, signal).catch(unavailable);
  return found && { name: found.about.name, bytes: found.bytes };
}

/** Throws ServiceError. */
export async function forgetFile(
  shelf: Shelf,
  id: string,
  caller: string,
  signal: AbortSignal,
): Promise<void> {
  await shelf.remove(id, only, caller, signal).catch(unavailable);
}

/** Throws StoreError. */
export async function keepFile(
  shelf: Shelf,
  { id, path, caller }: Wanted & { caller: string },
  bytes: Buffer,
  signal: AbortSignal,
): Promise<void> {
  await shelf.put({ folder: id, id: only, caller, name: path }, bytes, signal);
}
