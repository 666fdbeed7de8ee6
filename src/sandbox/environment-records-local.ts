import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { executionIdPattern } from '../request/execution-id.ts';
import type { EnvironmentRecord, EnvironmentRecords } from '../schedule/backend.ts';

/**
 * Which environments there are in a folder: they say it themselves, and when the file that does was changed is when they were
 * last used. Nothing is forgotten that a build does not take away, and that spares what is in use.
 */
export function folderRecords(folder: string): EnvironmentRecords {
  return {
    async all() {
      const names = await readdir(folder).catch(() => []);
      const records = new Map<string, EnvironmentRecord>();
      for (const key of names.filter((name) => executionIdPattern.test(name))) {
        const record = await read(join(folder, key, 'environment.json'));
        if (record) records.set(key, record);
      }
      return { records, version: '' };
    },
    async put(key, { used }) {
      const time = new Date(used);
      await utimes(join(folder, key, 'environment.json'), time, time).catch(() => undefined);
    },
    forget: () => Promise.resolve(true),
  };
}

async function read(path: string): Promise<EnvironmentRecord | undefined> {
  try {
    const described = JSON.parse(await readFile(path, 'utf8')) as EnvironmentRecord;
    const { requirements, bytes, created, shadows } = described;
    return { requirements, bytes, created, shadows, used: (await stat(path)).mtime.toISOString() };
  } catch {
    return undefined;
  }
}
