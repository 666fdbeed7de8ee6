import { createHash } from 'node:crypto';
import { nameOf, randomName } from '../request/execution-id.ts';

/** `<execution id>-<16 random characters>`: tells where the artifact is, and is not to be guessed. */
export function newArtifactId(executionId: string): string {
  return `${executionId}-${randomName(16)}`;
}

const idPattern = /^([a-z2-7]{26})-([a-z2-7]{16})$/;

/** The key of an artifact's data. Undefined for what is no artifact's id. */
export function artifactKey(id: string): string | undefined {
  const [, executionId, name] = idPattern.exec(id) ?? [];
  return executionId === undefined || name === undefined ? undefined : `${executionId}/${name}`;
}

const keyPattern = /^([a-z2-7]{26})\/([a-z2-7]{16})(?:\.json)?$/;

/** The id of the artifact that a key belongs to, of its data or what is known about it. Undefined for other keys. */
export function artifactIdOf(key: string): string | undefined {
  const [, executionId, name] = keyPattern.exec(key) ?? [];
  return executionId === undefined || name === undefined ? undefined : `${executionId}-${name}`;
}

/** The key of what is known about an artifact, beside that of its data. */
export function aboutKey(key: string): string {
  return `${key}.json`;
}

/**
 * The folder and the key of a caller's file of a shelf. They look like those of artifacts, and so the sweep takes both; no
 * artifact's id leads to one, because what is known about it says no such id. Nor does another caller's name.
 */
export function shelfFolder(caller: string, folder: string): string {
  return hashed(['shelf', caller, folder], 26);
}

export function shelfKey(caller: string, folder: string, id: string): string {
  return `${shelfFolder(caller, folder)}/${hashed(['file', caller, folder, id], 16)}`;
}

/** A hash in the letters and digits of artifact ids. */
function hashed(parts: readonly string[], length: number): string {
  return nameOf(createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, length));
}

/** Where callers get an artifact. `publicUrl` is what they reach the server by, '' where that is not known. */
export function artifactUrl(publicUrl: string, id: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/v1/artifacts/${id}`;
}
