import { createHash } from 'node:crypto';
import { nameOf } from '../request/execution-id.ts';

/** What an image has. */
export interface ImageFacts {
  /** Version of Python. */
  python: string;
  platform: string;
  packages: ImagePackage[];
}

export interface ImagePackage {
  name: string;
  version: string;
  /** What it is imported as. */
  modules: string[];
}

/** What an environment is made from. */
export interface Ingredients {
  facts: ImageFacts;
  /** Normalised. */
  requirements: readonly string[];
  index: string;
  denied: readonly string[];
}

/**
 * Names an environment: equal ingredients give equal keys. It has the form of an execution id, because its build is
 * a run. Pure.
 */
export function environmentKey({ facts, requirements, index, denied }: Ingredients): string {
  const { python, platform } = facts;
  const packages = facts.packages.map(({ name, version }) => `${name}==${version}`).sort();
  const text = JSON.stringify([python, platform, packages, requirements, index, [...denied].sort()]);
  return nameOf(createHash('sha256').update(text).digest().subarray(0, 26));
}
