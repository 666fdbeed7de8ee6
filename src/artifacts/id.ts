import { randomName } from '../request/execution-id.ts';

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

/** Where callers get an artifact. `publicUrl` is what they reach the server by, '' where that is not known. */
export function artifactUrl(publicUrl: string, id: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/v1/artifacts/${id}`;
}
