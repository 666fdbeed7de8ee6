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
  /** Keeps a file, or replaces it. */
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
