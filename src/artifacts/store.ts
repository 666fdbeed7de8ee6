import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import mime from 'mime-types';
import { readAll, StoreError, type Blobs, type ByteRange } from './blobs.ts';
import { aboutKey, artifactKey } from './id.ts';

export type ArtifactKind = 'output' | 'figure';

/** A file that a run left behind. */
export interface Artifact {
  id: string;
  execution_id: string;
  /** Whose run it was: nobody else gets it. */
  caller: string;
  /** Its place among the artifacts of its run, from 0. */
  index: number;
  path: string;
  /** The last part of the path. */
  name: string;
  kind: ArtifactKind;
  mime_type: string;
  /** Bytes. */
  size: number;
  /** Hexadecimal. */
  sha256: string;
  /** ISO 8601. */
  created: string;
}

/** What is known of an artifact before its bytes. */
export interface ArtifactHead {
  id: string;
  executionId: string;
  caller: string;
  index: number;
  path: string;
  kind: ArtifactKind;
}

export interface FoundArtifact {
  artifact: Artifact;
  expires: Date;
  /** Undefined where it has just been removed. */
  read(range: ByteRange | undefined, signal: AbortSignal): Promise<Readable | undefined>;
}

export interface ArtifactStore {
  /** Keeps an artifact, or nothing of it where it throws. */
  put(head: ArtifactHead, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Artifact>;
  /** Undefined where there is none of this id, and where it is another caller's or too old. */
  get(id: string, caller: string, signal: AbortSignal): Promise<FoundArtifact | undefined>;
  /** A caller's artifacts of a run, in the order in which they were made. */
  list(executionId: string, caller: string, signal: AbortSignal): Promise<Artifact[]>;
}

/** What is written about an artifact is less than this; its path has 4 KiB at most. */
const aboutBytes = 65_536;
/** Reads at one time of a list. */
const readsAtOnce = 8;
/** How long a failed artifact's data may take to be removed. */
const cleaningMs = 5000;

/** Artifacts in blobs: the data of each, then what is known about it. Without the latter it is not there. */
export function createArtifactStore(blobs: Blobs, options: { maxAgeSeconds: number }): ArtifactStore {
  const expiryOf = ({ created }: Artifact) => new Date(Date.parse(created) + options.maxAgeSeconds * 1000);
  const isCurrent = (artifact: Artifact) => expiryOf(artifact).getTime() > Date.now();

  async function about(key: string, signal: AbortSignal): Promise<Artifact | undefined> {
    const stream = await blobs.read(aboutKey(key), { start: 0, end: aboutBytes - 1 }, signal);
    if (!stream) return undefined;
    const text = (await readAll(stream, signal)).toString('utf8');
    try {
      return JSON.parse(text) as Artifact;
    } catch (cause) {
      throw new StoreError('what it has kept about an artifact cannot be read', { cause });
    }
  }

  return {
    async put({ id, executionId, caller, index, path, kind }, bytes, signal) {
      const key = artifactKey(id);
      if (key === undefined) throw new TypeError(`"${id}" is no artifact id.`);
      const sum = createSum();
      await blobs.write(key, sum.of(bytes), signal);
      const name = nameOf(path);
      const artifact: Artifact = {
        id,
        execution_id: executionId,
        caller,
        index,
        path,
        name,
        kind,
        mime_type: mimeTypeOf(name),
        ...sum.read(),
        created: new Date().toISOString(),
      };
      try {
        await blobs.write(aboutKey(key), once(Buffer.from(JSON.stringify(artifact))), signal);
      } catch (error) {
        // Data alone costs space only, and only until the next sweep.
        await blobs.remove([key], AbortSignal.timeout(cleaningMs)).catch(() => undefined);
        throw error;
      }
      return artifact;
    },

    async get(id, caller, signal) {
      const key = artifactKey(id);
      const artifact = key === undefined ? undefined : await about(key, signal);
      if (key === undefined || artifact?.id !== id) return undefined;
      if (artifact.caller !== caller || !isCurrent(artifact)) return undefined;
      return {
        artifact,
        expires: expiryOf(artifact),
        read: (range, reading) => blobs.read(key, range, reading),
      };
    },

    async list(executionId, caller, signal) {
      const ends = aboutKey('');
      const keys: string[] = [];
      for await (const { key } of blobs.list(`${executionId}/`, signal)) {
        if (key.endsWith(ends)) keys.push(key.slice(0, -ends.length));
      }
      const found: Artifact[] = [];
      while (keys.length > 0) {
        const read = await Promise.all(keys.splice(0, readsAtOnce).map((key) => about(key, signal)));
        found.push(...read.filter((each) => each !== undefined));
      }
      return found
        .filter((each) => each.caller === caller && isCurrent(each))
        .sort((one, other) => one.index - other.index);
    },
  };
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** By the name's extension. */
export function mimeTypeOf(name: string): string {
  return mime.lookup(name) || 'application/octet-stream';
}

/** Size and hash of what passes through. */
function createSum() {
  const hash = createHash('sha256');
  let size = 0;
  return {
    async *of(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    read: () => ({ size, sha256: hash.digest('hex') }),
  };
}

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk as a source of chunks
async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
