import { once, readAbout, readAbouts, writeWithAbout } from './about.ts';
import { readAll, type Blobs } from './blobs.ts';
import { aboutKey, shelfFolder, shelfKey } from './id.ts';

/** A file that a client has sent, or that came of its run, under a name of that client's world. */
export interface Shelved {
  folder: string;
  id: string;
  caller: string;
  name: string;
  /** Bytes. */
  size: number;
  /** ISO 8601. */
  created: string;
}

/**
 * Files of clients by folder and id, in the store of artifacts and swept with them. Folder and id are 1 to 64 of
 * A-Z, a-z, 0-9, _ and -. Throws StoreError, and the signal's reason.
 */
export interface Shelf {
  /** Keeps a file, or replaces it: its data first. */
  put(
    file: Pick<Shelved, 'folder' | 'id' | 'caller' | 'name'>,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<Shelved>;
  /** Undefined where there is none, and where it is another caller's. */
  get(
    folder: string,
    id: string,
    caller: string,
    signal: AbortSignal,
  ): Promise<{ about: Shelved; bytes: Buffer } | undefined>;
  /** A caller's files of a folder, oldest first. */
  list(folder: string, caller: string, signal: AbortSignal): Promise<Shelved[]>;
  remove(folder: string, id: string, caller: string, signal: AbortSignal): Promise<void>;
}

/** A name of 4 KiB is the longest that Linux has. */
const maxNameBytes = 4096;
const namePattern = /^[A-Za-z0-9_-]{1,64}$/;

export function createShelf(blobs: Blobs): Shelf {
  const read = async (key: string, signal: AbortSignal) =>
    (await readAbout(blobs, key, signal)) as Shelved | undefined;

  return {
    async put({ folder, id, caller, name }, bytes, signal) {
      check(folder, id);
      if (Buffer.byteLength(name) > maxNameBytes) throw new TypeError('The name of the file is too long.');
      const created = new Date().toISOString();
      const about: Shelved = { folder, id, caller, name, size: bytes.length, created };
      return await writeWithAbout(blobs, shelfKey(caller, folder, id), once(bytes), () => about, signal);
    },

    async get(folder, id, caller, signal) {
      check(folder, id);
      const key = shelfKey(caller, folder, id);
      const about = await read(key, signal);
      const stream = about && (await blobs.read(key, undefined, signal));
      if (!about || !stream) return undefined;
      const bytes = await readAll(stream, signal);
      // Where it is being replaced, the data is the newer of the two.
      return { about: { ...about, size: bytes.length }, bytes };
    },

    async list(folder, caller, signal) {
      check(folder);
      const found = (await readAbouts(blobs, shelfFolder(caller, folder), signal)) as Shelved[];
      // Who chooses the id of a run, as replicas do, may have had its artifacts put here.
      const theirs = found.filter((each) => each.folder === folder && each.caller === caller);
      return theirs.sort((one, other) => (one.created < other.created ? -1 : 1));
    },

    async remove(folder, id, caller, signal) {
      check(folder, id);
      const key = shelfKey(caller, folder, id);
      // Without what is known about it a file is not there.
      await blobs.remove([aboutKey(key)], signal);
      await blobs.remove([key], signal);
    },
  };
}

function check(...names: string[]): void {
  const wrong = names.find((name) => !namePattern.test(name));
  if (wrong !== undefined) throw new TypeError(`"${wrong.slice(0, 100)}" is no name of a shelf.`);
}
