/** Files on disk, each fetched once however many ask for it at one time. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

export interface Cache {
  /**
   * The path of a file below the cache's folder, which `make` writes where there is none, or only one older than
   * `maxAgeSeconds`; if making fails, the old one does.
   */
  file(name: string, make: (path: string) => Promise<void>, maxAgeSeconds?: number): Promise<string>;
}

export function openCache(folder: string): Cache {
  const under = new Map<string, Promise<string>>();
  return {
    file(name, make, maxAgeSeconds = Infinity) {
      const path = join(folder, name);
      const running = under.get(path) ?? ensure(path, make, maxAgeSeconds).finally(() => under.delete(path));
      under.set(path, running);
      return running;
    },
  };
}

async function ensure(
  path: string,
  make: (path: string) => Promise<void>,
  maxAgeSeconds: number,
): Promise<string> {
  const age = await stat(path).then(
    ({ mtimeMs }) => (Date.now() - mtimeMs) / 1000,
    () => undefined,
  );
  if (age !== undefined && age < maxAgeSeconds) return path;
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await make(partial);
    await rename(partial, path);
  } catch (error) {
    if (age === undefined) throw error;
  } finally {
    await rm(partial, { force: true });
  }
  return path;
}
