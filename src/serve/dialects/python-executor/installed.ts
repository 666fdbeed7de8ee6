import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { Shelf } from '../../../artifacts/shelf.ts';
import { normalise } from '../../../request/requirements.ts';
import { unavailable } from '../../artifacts.ts';

const folder = 'python-executor';

/**
 * What a caller has installed: requirements, one of each package. Each is a file of its own on the shelf, whose name it is:
 * so any replica knows it, and what is installed at one time is not lost to each other.
 */
export async function installedBy(
  shelf: Shelf,
  schema: z.ZodType<string[]>,
  caller: string,
  signal: AbortSignal,
): Promise<string[]> {
  const files = await shelf.list(folder, caller, signal).catch(unavailable);
  // What the operator has come to deny is installed no longer.
  return files.map(({ name }) => name).filter((name) => schema.safeParse([name]).success);
}

export async function noteInstalled(
  shelf: Shelf,
  caller: string,
  requirements: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const requirement of requirements) {
    const id = createHash('sha256').update(packageOf(requirement)).digest('hex');
    await shelf.put({ folder, id, caller, name: requirement }, new Uint8Array(), signal).catch(unavailable);
  }
}

/**
 * What is installed when others are installed, too: as with pip, another version takes the place of the one before, extras come
 * to those that are there, and who asks for no version gets the one that is there. All are checked requirements.
 */
export function together(installed: readonly string[], wanted: readonly string[]): string[] {
  const all = new Map(installed.map((requirement) => [packageOf(requirement), requirement]));
  for (const requirement of normalise(wanted)) {
    const { name, version } = partsOf(requirement);
    const before = partsOf(all.get(name) ?? name);
    const kept = `${name}${before.extras}${version === '' ? before.version : ''}`;
    const [both = requirement] = normalise([kept, requirement]);
    all.set(name, both);
  }
  return [...all.values()].sort();
}

/** The name of a package in a requirement that is normalised. */
function packageOf(requirement: string): string {
  return partsOf(requirement).name;
}

/** A requirement that is normalised; `extras` with its brackets. */
function partsOf(requirement: string): { name: string; extras: string; version: string } {
  const [, name = requirement, extras = '', version = ''] =
    /^([a-z0-9-]+)(\[[^\]]*\])?(.*)$/.exec(requirement) ?? [];
  return { name, extras, version };
}
