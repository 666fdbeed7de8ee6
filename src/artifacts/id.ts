import { randomName } from '../request/execution-id.ts';

/** `<execution id>-<16 random characters>`: tells where the artifact is, and is not to be guessed. */
export function newArtifactId(executionId: string): string {
  return `${executionId}-${randomName(16)}`;
}

const idPattern = /^([a-z2-7]{26})-([a-z2-7]{16})$/;

/** The execution of an artifact, and the key of its data. Undefined for what is no artifact's id. */
export function parseArtifactId(id: string): { executionId: string; key: string } | undefined {
  const [, executionId, name] = idPattern.exec(id) ?? [];
  return executionId === undefined || name === undefined
    ? undefined
    : { executionId, key: `${executionId}/${name}` };
}

const keyPattern = /^([a-z2-7]{26})\/([a-z2-7]{16})(\.json)?$/;

/** The artifact that a key belongs to, and which of its two parts is there. Undefined for a key of something else. */
export function parseKey(key: string): { id: string; part: 'data' | 'about' } | undefined {
  const [, executionId, name, json] = keyPattern.exec(key) ?? [];
  return executionId === undefined || name === undefined
    ? undefined
    : { id: `${executionId}-${name}`, part: json === undefined ? 'data' : 'about' };
}

/** The key of what is known about an artifact, beside that of its data. */
export function aboutKey(key: string): string {
  return `${key}.json`;
}

/** Where callers get an artifact. `publicUrl` is what they reach the server by, '' where that is not known. */
export function artifactUrl(publicUrl: string, id: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/v1/artifacts/${id}`;
}
