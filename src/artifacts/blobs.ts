import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

export interface Blob {
  key: string;
  /** Bytes. */
  size: number;
  modified: Date;
}

/** Bytes, both ends included. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Where bytes are kept. Keys are `<folder>/<name>` or `<folder>/<name>.json`, of small letters and digits. */
export interface Blobs {
  /** Keeps all of the bytes, or nothing where it throws. */
  write(key: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Undefined where there is no such key. The signal ends the stream too. */
  read(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<Readable | undefined>;
  /** All keys that begin with `''` or `<folder>/`; those of one folder follow each other. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<Blob>;
  /** What is not there is no error. */
  remove(keys: string[], signal: AbortSignal): Promise<void>;
  /** Removes what writes have left that began before then and never came to an end. */
  removeUnfinished(before: Date, signal: AbortSignal): Promise<void>;
}

/** The store does not do what it should. The message is half a sentence that any caller may read; the rest is in `cause`. */
export class StoreError extends Error {
  override name = 'StoreError';
}

/** All bytes of a blob. Throws StoreError where they break off, and the reason of the signal that the stream was read with. */
export async function readAll(stream: Readable, signal: AbortSignal): Promise<Buffer> {
  try {
    return await buffer(stream);
  } catch (cause) {
    signal.throwIfAborted();
    throw new StoreError('it broke off while it was read', { cause });
  }
}

const keyPattern = /^[a-z0-9]+\/[a-z0-9]+(\.json)?$/;
const prefixPattern = /^([a-z0-9]+\/)?$/;

export function checkKey(key: string): void {
  if (!keyPattern.test(key)) throw new TypeError(`"${key.slice(0, 100)}" is no key of a blob.`);
}

export function checkPrefix(prefix: string): void {
  if (!prefixPattern.test(prefix)) throw new TypeError(`"${prefix.slice(0, 100)}" is no folder of blobs.`);
}
