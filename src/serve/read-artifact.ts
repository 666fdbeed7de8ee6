import { readAll } from '../artifacts/blobs.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import { ServiceError } from '../result/errors.ts';
import { unavailable } from './artifacts.ts';
import type { ReadArtifact } from './offers.ts';

/** Artifacts of a store as MCP takes them: whole. */
export function artifactReader(store: Pick<ArtifactStore, 'get'>): ReadArtifact {
  return async (id, caller, signal) => {
    const found = await store.get(id, caller, signal).catch(unavailable);
    if (!found) return undefined;
    return {
      artifact: found.artifact,
      async bytes() {
        const stream = await found.read(undefined, signal).catch(unavailable);
        if (!stream) throw new ServiceError('not_found', `The artifact ${id} has just been removed.`);
        return readAll(stream, signal).catch(unavailable);
      },
    };
  };
}
