import { posix } from 'node:path';
import { workspacePath } from '../../../request/session.ts';
import { Fault } from './fault.ts';

/** A path of a client as one below the session's root, '' for that itself. Throws Fault where it leads out of it. */
export function belowRoot(path: string): string {
  const normal = posix.normalize(path === '' ? '.' : path).replace(/\/$/, '');
  if (path.startsWith('/') || normal.split('/').includes('..'))
    throw new Fault("Path must be relative to session root and may not contain '..'.");
  return normal === '.' ? '' : normal;
}

/** A path below output/, as it is below the session's root. Throws Fault for any "..". */
export function belowOutput(path: string): string {
  if (leadsOut(path)) throw new Fault("relative_path must be inside output/ and cannot contain '..'");
  return joined(`output/${path}`);
}

/** A path below mounts/. Throws Fault where it is none. */
export function belowMounts(path: string): string {
  if (path === '' || leadsOut(path)) throw new Fault("mount_path must be a relative path without '..'");
  const file = joined(path);
  if (file === '') throw new Fault('mount_path must name a file: this is mounts/ itself');
  return file;
}

/** Without the empty and "." parts, as Python's pathlib has it. */
export function joined(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `${path.startsWith('/') ? '/' : ''}${parts.join('/')}`;
}

/** Whether a file of this path can be there at all. */
export function isPossible(path: string): boolean {
  return workspacePath.safeParse(path).success;
}

function leadsOut(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..');
}
