import { createWriteStream } from 'node:fs';
import { mkdir, open, opendir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { randomName } from '../request/execution-id.ts';
import { checkKey, checkPrefix, StoreError, type Blob, type Blobs } from './blobs.ts';

/** What is being written has a name of its own until it is whole. */
const unfinished = /\.[a-z2-7]{8}\.partial$/;

/** Blobs as files of a folder, which is made when it is needed. Nobody else may read them. */
export function folderBlobs(root: string): Blobs {
  const pathOf = (key: string) => {
    checkKey(key);
    return join(root, key);
  };

  return {
    async write(key, bytes, signal) {
      const path = pathOf(key);
      const partial = `${path}.${randomName(8)}.partial`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await pipeline(bytes, createWriteStream(partial, { flags: 'wx', mode: 0o600 }), { signal });
        await rename(partial, path);
      } catch (error) {
        await unlink(partial).catch(() => undefined);
        throw explained(error);
      }
    },

    async read(key, range, signal) {
      const file = await absentAsUndefined(open(pathOf(key)));
      return file && addAbortSignal(signal, file.createReadStream(range));
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      for await (const blob of files(root, prefix, signal)) {
        if (!unfinished.test(blob.key)) yield blob;
      }
    },

    async remove(keys, signal) {
      for (const path of keys.map(pathOf)) {
        signal.throwIfAborted();
        await removeFile(path);
      }
    },

    async removeUnfinished(before, signal) {
      for await (const { key, modified } of files(root, '', signal)) {
        if (unfinished.test(key) && modified < before) await removeFile(join(root, key));
      }
    },
  };
}

/** The files of the folders of a root, or of one of them. What vanishes meanwhile is left out. */
async function* files(root: string, prefix: string, signal: AbortSignal): AsyncGenerator<Blob> {
  if (prefix === '') {
    for await (const entry of entries(root)) {
      if (entry.isDirectory()) yield* files(root, `${entry.name}/`, signal);
    }
    return;
  }
  for await (const entry of entries(join(root, prefix))) {
    signal.throwIfAborted();
    if (!entry.isFile()) continue;
    const key = prefix + entry.name;
    const found = await absentAsUndefined(stat(join(root, key)));
    if (found) yield { key, size: found.size, modified: found.mtime };
  }
}

async function* entries(folder: string) {
  const opened = await absentAsUndefined(opendir(folder));
  if (opened) yield* opened;
}

async function removeFile(path: string): Promise<void> {
  await ignoring(unlink(path), 'ENOENT');
  await ignoring(rmdir(dirname(path)), 'ENOENT', 'ENOTEMPTY', 'EEXIST');
}

async function absentAsUndefined<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  return await ignoring(asked, 'ENOENT');
}

async function ignoring<Value>(done: Promise<Value>, ...codes: string[]): Promise<Value | undefined> {
  try {
    return await done;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return undefined;
    throw explained(error);
  }
}

const reasons: Record<string, string> = {
  ENOSPC: 'there is no space left in its folder',
  EDQUOT: 'there is no space left in its folder',
  EACCES: 'it may not use its folder',
  EPERM: 'it may not use its folder',
  EROFS: 'its folder is read-only',
};

/** Errors of the file system by what is to be done; all others as they are. */
function explained(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof StoreError || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new StoreError(reasons[code] ?? `its folder cannot be used (${code})`, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
