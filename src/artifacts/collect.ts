import type { FileFrame, Frame } from '../output/frame.ts';
import type { Artifact as ResultArtifact } from '../result/execution-result.ts';
import { StoreError } from './blobs.ts';
import { createChannel, type Channel } from './channel.ts';
import { newArtifactId } from './id.ts';
import { mimeTypeOf, nameOf, type Artifact, type ArtifactHead, type ArtifactStore } from './store.ts';

/** Takes a run's files out of its frames. */
export interface Collector {
  /** Resolves when it takes more. Never throws. */
  add(frame: Frame): Promise<void>;
  /** Nothing more comes. All artifacts in their order, those too that could not be kept, which say why. */
  finish(): Promise<ResultArtifact[]>;
}

export interface CollectorOptions {
  executionId: string;
  caller: string;
  /** Where callers get an artifact; null where they cannot. */
  urlOf: (id: string) => string | null;
  signal: AbortSignal;
  /** The store failed to keep one. */
  onFailure?: (id: string, error: unknown) => void;
}

/** Frames of 12,000 bytes that wait for the store. */
const waitingChunks = 16;
/** The store is told of small files while it still writes others: each is a few round trips. */
const smallBytes = 262_144;
const filesAtOnce = 4;
/** After so many failures in a row the store is down, and each further file would only wait for the same. */
const failuresInRow = 2;

/** A file whose data is coming. */
interface Open {
  announced: number;
  received: number;
  channel: Channel;
  /** Why its data is not what the program wrote. */
  broken: string | undefined;
  kept: Promise<ResultArtifact>;
}

/** Streams each file into the store as it comes. A store that fails costs the artifact, never the run. */
export function createCollector(store: Pick<ArtifactStore, 'put'>, options: CollectorOptions): Collector {
  const { executionId, caller, urlOf, signal, onFailure } = options;
  const all: Promise<ResultArtifact>[] = [];
  const unfinished = new Set<Promise<ResultArtifact>>();
  let open: Open | undefined;
  let failures = 0;

  function begin(head: ArtifactHead, announced: number): Open {
    const channel = createChannel(waitingChunks);
    const file: Open = { announced, received: 0, channel, broken: undefined, kept: keep() };
    return file;

    async function keep(): Promise<ResultArtifact> {
      if (failures >= failuresInRow) {
        channel.discard();
        return lost(head, announced, 'It was not tried: the artifact store had failed before.');
      }
      try {
        const artifact = await store.put(head, channel, signal);
        failures = 0;
        return describeArtifact(artifact, urlOf);
      } catch (error) {
        channel.discard();
        if (file.broken !== undefined) return lost(head, announced, file.broken);
        if (signal.aborted) return lost(head, announced, 'The run was cancelled before it was kept.');
        failures += 1;
        onFailure?.(head.id, error);
        const why = error instanceof StoreError ? `: ${error.message}` : '';
        return lost(head, announced, `The artifact store failed${why}.`);
      }
    }
  }

  function breakOff(file: Open, why: string): void {
    file.broken = why;
    file.channel.fail(new Error(why));
  }

  /** What was open is not going to be whole. */
  function interrupt(why: string): void {
    if (open) breakOff(open, why);
    open = undefined;
  }

  async function takeFile({ kind, path, size }: Extract<FileFrame, { type: 'file' }>): Promise<void> {
    interrupt('Its end was lost on its way.');
    if (kind !== 'figure' && kind !== 'output') return;
    while (unfinished.size >= filesAtOnce) await Promise.race(unfinished);
    const head = { id: newArtifactId(executionId), executionId, caller, index: all.length, path, kind };
    const { kept } = (open = begin(head, size));
    all.push(kept);
    unfinished.add(kept);
    void kept.finally(() => unfinished.delete(kept));
  }

  async function takeEnd(size: number): Promise<void> {
    const file = open;
    open = undefined;
    if (!file) return;
    if (file.received !== size) breakOff(file, 'Part of it was lost on its way.');
    else if (size !== file.announced) breakOff(file, 'It changed while it was read.');
    else file.channel.end();
    if (file.announced > smallBytes) await file.kept;
  }

  return {
    async add(frame) {
      switch (frame.type) {
        case 'file':
          await takeFile(frame);
          break;
        case 'data': {
          if (!open) break;
          const bytes = Buffer.from(frame.base64, 'base64');
          open.received += bytes.length;
          await open.channel.push(bytes);
          break;
        }
        case 'file_end':
          await takeEnd(frame.size);
          break;
        default:
      }
    },
    async finish() {
      interrupt('The sandbox was lost before all of it had come.');
      return await Promise.all(all);
    },
  };
}

/** An artifact as callers see it. */
export function describeArtifact(
  { id, path, name, kind, mime_type, size, sha256 }: Artifact,
  urlOf: CollectorOptions['urlOf'],
): ResultArtifact {
  return { id, path, name, kind, mime_type, size, sha256, url: urlOf(id), error: null };
}

function lost({ path, kind }: ArtifactHead, size: number, error: string): ResultArtifact {
  const name = nameOf(path);
  return { id: null, path, name, kind, mime_type: mimeTypeOf(name), size, sha256: null, url: null, error };
}
