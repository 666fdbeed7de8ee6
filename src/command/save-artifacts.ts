import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore } from '../artifacts/store.ts';
import { ServiceError } from '../result/errors.ts';
import type { Artifact } from '../result/execution-result.ts';

/** Copies artifacts that were kept into a folder, and says where each is now. Throws where one cannot be read or written. */
export async function saveArtifacts(
  artifacts: readonly Artifact[],
  folder: string,
  store: Pick<ArtifactStore, 'get'>,
  signal: AbortSignal,
): Promise<Map<Artifact, string>> {
  const saved = new Map<Artifact, string>();
  const taken = new Set<string>();
  for (const artifact of artifacts) {
    if (artifact.id === null) continue;
    // A program may write a file that has the name of a figure.
    const path = placeIn(folder, taken.has(artifact.path) ? join('output', artifact.path) : artifact.path);
    taken.add(artifact.path);
    const found = await store.get(artifact.id, '', signal);
    const bytes = await found?.read(undefined, signal);
    if (!bytes) throw new ServiceError('not_found', `${artifact.path} is no longer in the artifact store.`);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(bytes, createWriteStream(path), { signal });
    saved.set(artifact, path);
  }
  return saved;
}

/** The names are a stranger's: they must not lead out of the folder. */
function placeIn(folder: string, path: string): string {
  const place = join(folder, path);
  if (relative(resolve(folder), resolve(place)).startsWith('..')) {
    throw new ServiceError('internal', `${path} is not below the folder of artifacts.`);
  }
  return place;
}
