import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ServiceError } from '../result/errors.ts';
import { type BuilderFiles, nobody } from './bubblewrap.ts';

export interface BuilderSettings {
  /** Folders that programs are looked for in. */
  searchPath: readonly string[];
  /** File with the certificates to trust instead of the system's, empty for those. */
  certificates: string;
  /** Folder with the credentials of the package index, empty for none. */
  index: string;
}

export interface LocalBuilder {
  /** What a build needs, where the sandbox's user can read it. Throws ServiceError environments_unavailable. */
  files(): BuilderFiles;
  remove(): void;
}

/** A server that is root starts sandboxes as a user that may not look into root's folders, so that it gets copies. */
export function localBuilder(settings: BuilderSettings, isRoot: boolean): LocalBuilder {
  let folder: string | undefined;

  function copyForNobody(uv: string, index: string): { uv: string; index: string } {
    folder ??= mkdtempSync(join(tmpdir(), 'vivarium-builder-'));
    chmodSync(folder, 0o755);
    const copies = { uv: join(folder, 'uv'), index: index && join(folder, 'index') };
    if (!existsSync(copies.uv)) copyFileSync(uv, copies.uv);
    chmodSync(copies.uv, 0o755);
    if (index === '') return copies;
    rmSync(copies.index, { recursive: true, force: true });
    cpSync(index, copies.index, { recursive: true, dereference: true });
    for (const name of readdirSync(copies.index)) own(join(copies.index, name), 0o400);
    own(copies.index, 0o500);
    return copies;
  }

  return {
    files() {
      const { searchPath, certificates, index } = settings;
      const uv = findUv(searchPath);
      if (uv === undefined) {
        throw new ServiceError(
          'environments_unavailable',
          'Environments are built by uv, which is not on the PATH of this server: install it, for example with pip install uv.',
        );
      }
      try {
        const files = isRoot ? copyForNobody(uv, index) : { uv, index };
        return { ...files, certificates: existsSync(certificates) ? certificates : '' };
      } catch (error) {
        throw new ServiceError(
          'environments_unavailable',
          `What a build needs cannot be handed to it: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      }
    },
    remove() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function own(path: string, mode: number): void {
  chmodSync(path, mode);
  chownSync(path, nobody, nobody);
}

/** The folder of environments, made if it is not there; undefined where it cannot be, or the sandbox's user cannot get to it. */
export function environmentsFolder(path: string, isRoot: boolean): string | undefined {
  try {
    const missing = [path, ...parentsOf(path)].filter((folder) => !existsSync(folder));
    mkdirSync(path, { recursive: true });
    if (!isRoot) return path;
    // The umask may have kept others out.
    for (const folder of missing) chmodSync(folder, 0o755);
    if (statSync(path).uid !== nobody) chownSync(path, nobody, nobody);
    return [path, realpathSync(path)].flatMap(parentsOf).every(isOpenToNobody) ? path : undefined;
  } catch {
    return undefined;
  }
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...parentsOf(parent)];
}

function isOpenToNobody(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  return uid === nobody || (mode & 0o001) !== 0;
}

/** The first uv in these folders that is a program itself, and no script that looks for one elsewhere. */
export function findUv(searchPath: readonly string[]): string | undefined {
  return searchPath
    .map((folder) => join(folder, 'uv'))
    .filter((path) => existsSync(path) && isProgram(path))
    .map((path) => realpathSync(path))[0];
}

function isProgram(path: string): boolean {
  const start = Buffer.alloc(4);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, start);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
  return start.equals(Buffer.from('\x7fELF', 'latin1'));
}
