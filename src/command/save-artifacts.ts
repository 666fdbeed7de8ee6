import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore } from '../artifacts/store.ts';
import { ServiceError } from '../result/errors.ts';
import type { Artifact } from '../result/execution-result.ts';
import { unavailable } from '../serve/artifacts.ts';

/** Copies artifacts that were kept into a folder. Says where each is now, or why it could not be read or written. */
export async function saveArtifacts(
  artifacts: readonly Artifact[],
  folder: string,
  store: Pick<ArtifactStore, 'get'>,
  signal: AbortSignal,
): Promise<Map<Artifact, string | Error>> {
  const saved = new Map<Artifact, string | Error>();
  const taken = new Set<string>();
  for (const artifact of artifacts) {
    if (artifact.id === null) continue;
    // A program may write a file that has the name of a figure.
    const path = taken.has(artifact.path) ? join('output', artifact.path) : artifact.path;
    taken.add(artifact.path);
    const outcome = save(artifact.id, folder, path, store, signal);
    saved.set(
      artifact,
      await outcome.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    );
  }
  return saved;
}

async function save(
  id: string,
  folder: string,
  path: string,
  store: Pick<ArtifactStore, 'get'>,
  signal: AbortSignal,
): Promise<string> {
  const place = placeIn(folder, path);
  await mkdir(dirname(place), { recursive: true });
  const found = await store.get(id, '', signal).catch(unavailable);
  const bytes = await found?.read(undefined, signal).catch(unavailable);
  if (!bytes) throw new ServiceError('not_found', `${path} is no longer in the artifact store.`);
  await pipeline(bytes, createWriteStream(place), { signal });
  return place;
}

/** The names are a stranger's: they must not lead out of the folder. */
function placeIn(folder: string, path: string): string {
  const place = join(folder, path);
  if (/^\.\.(\/|$)/.test(relative(resolve(folder), resolve(place)))) {
    throw new ServiceError('internal', `${path} is not below the folder of artifacts.`);
  }
  return place;
}
