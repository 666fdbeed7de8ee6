import { z } from 'zod';

/** What can be imported: the packages of the image, or of the image with an environment. */
export const packageList = z.strictObject({
  python: z.string().describe('Its version.'),
  packages: z.array(z.strictObject({ name: z.string(), version: z.string() })).describe('Sorted by name.'),
});

export type PackageList = z.infer<typeof packageList>;

/** A package of the image. */
export interface InstalledPackage {
  name: string;
  version: string;
  /** Its top-level modules. */
  modules: string[];
}

/** A package's name as in PEP 503. */
export function canonicalName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}
