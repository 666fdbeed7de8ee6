import { ServiceError } from '../../../src/result/errors.ts';
import type { Entry, WorkspaceFiles } from '../../../src/schedule/backend.ts';

export interface MemoryWorkspace {
  files: WorkspaceFiles;
  /** What a program writes; it is new each time. */
  write(path: string, content: string | Uint8Array): void;
  read(path: string): string | undefined;
  /** Something that is no file. */
  link(path: string): void;
  paths(): string[];
}

/** The workspace of a sandbox that is none. */
export function memoryWorkspace(): MemoryWorkspace {
  const entries = new Map<string, { kind: 'file' | 'other'; bytes: Buffer; modified: number }>();
  let clock = 1;

  function set(path: string, bytes: Buffer, kind: 'file' | 'other' = 'file'): void {
    entries.set(path, { kind, bytes, modified: (clock += 0.5) });
  }

  function found(folder: string, recursive: boolean): Entry[] {
    const below = folder === '' ? '' : `${folder}/`;
    const all = new Map<string, Entry>();
    for (const [path, { kind, bytes, modified }] of entries) {
      if (!path.startsWith(below)) continue;
      const parts = path.slice(below.length).split('/');
      parts.slice(1).forEach((_, index) => {
        const at = below + parts.slice(0, index + 1).join('/');
        if (recursive || index === 0) all.set(at, { path: at, kind: 'folder', size: 0, modified });
      });
      if (recursive || parts.length === 1) all.set(path, { path, kind, size: bytes.length, modified });
    }
    return [...all.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  return {
    files: {
      write(path, bytes) {
        set(path, Buffer.from(bytes));
        return Promise.resolve();
      },
      list: (folder, { recursive }) => Promise.resolve({ entries: found(folder, recursive), left_out: 0 }),
      read(path, maxBytes) {
        const entry = entries.get(path);
        if (!entry) return Promise.reject(new ServiceError('file_not_found', `There is no ${path}.`));
        if (entry.kind === 'other')
          return Promise.reject(new ServiceError('file_unusable', `${path} is no file.`));
        if (entry.bytes.length > maxBytes)
          return Promise.reject(new ServiceError('too_large', `${path} is too large.`));
        return Promise.resolve(Buffer.from(entry.bytes));
      },
    },
    write: (path, content) => {
      set(path, Buffer.from(content as string));
    },
    read: (path) => entries.get(path)?.bytes.toString(),
    link: (path) => {
      set(path, Buffer.alloc(0), 'other');
    },
    paths: () => [...entries.keys()].sort(),
  };
}
