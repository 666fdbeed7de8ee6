import type { Environments } from './environments.ts';
import { parseFacts, type RunProgram } from './facts.ts';
import { factsProgram } from './programs.ts';
import type { PrepareOptions } from './environments.ts';

export interface PackageVersion {
  name: string;
  version: string;
}

/**
 * The packages that a program can import, by name: those of the image, and with requirements those of their environment,
 * which is built where there is none. Throws ServiceError, and the signal's reason.
 */
export async function listPackages(
  environments: Environments,
  runProgram: RunProgram,
  image: string,
  requirements: readonly string[],
  options: PrepareOptions,
): Promise<PackageVersion[]> {
  if (requirements.length === 0) return namesOf(await environments.facts(options));
  const list = async () => {
    const { key, path } = await environments.prepare(requirements, options);
    const program = { code: factsProgram(), environment: path };
    return { key, capture: await runProgram(image, program, options.signal) };
  };
  let { key, capture } = await list();
  if (capture.exit?.cause === 'environment_missing') {
    await environments.lost(key);
    ({ key, capture } = await list());
  }
  return namesOf(parseFacts(capture));
}

function namesOf({ packages }: { packages: PackageVersion[] }): PackageVersion[] {
  return packages.map(({ name, version }) => ({ name, version }));
}
