import { join } from 'node:path';
import { artifactKey } from '../artifacts/id.ts';
import { parseS3 } from '../artifacts/open.ts';

/** Where an artifact is on this machine; null where the store is no folder. */
export function artifactPath(artifactStore: string, id: string): string | null {
  const key = artifactKey(id);
  return key !== undefined && !parseS3(artifactStore) ? join(artifactStore, key) : null;
}
