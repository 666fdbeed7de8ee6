import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import mime from 'mime-types';
import { readAbout, readAbouts, writeWithAbout } from './about.ts';
import type { Blobs, ByteRange } from './blobs.ts';
import { artifactKey } from './id.ts';

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

/** Artifacts in blobs: the data of each, then what is known about it. Without the latter it is not there. */
export function createArtifactStore(blobs: Blobs, options: { maxAgeSeconds: number }): ArtifactStore {
  const expiryOf = ({ created }: Artifact) => new Date(Date.parse(created) + options.maxAgeSeconds * 1000);
  const isCurrent = (artifact: Artifact) => expiryOf(artifact).getTime() > Date.now();

  return {
    async put({ id, executionId, caller, index, path, kind }, bytes, signal) {
      const key = artifactKey(id);
      if (key === undefined) throw new TypeError(`"${id}" is no artifact id.`);
      const sum = createSum();
      const name = nameOf(path);
      return await writeWithAbout(
        blobs,
        key,
        sum.of(bytes),
        (): Artifact => ({
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
        }),
        signal,
      );
    },

    async get(id, caller, signal) {
      const key = artifactKey(id);
      const artifact =
        key === undefined ? undefined : ((await readAbout(blobs, key, signal)) as Artifact | undefined);
      if (key === undefined || artifact?.id !== id) return undefined;
      if (artifact.caller !== caller || !isCurrent(artifact)) return undefined;
      return {
        artifact,
        expires: expiryOf(artifact),
        read: (range, reading) => blobs.read(key, range, reading),
      };
    },

    async list(executionId, caller, signal) {
      const found = (await readAbouts(blobs, executionId, signal)) as Artifact[];
      return found
        .filter((each) => each.execution_id === executionId && each.caller === caller && isCurrent(each))
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
