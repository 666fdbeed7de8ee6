import { ServiceError } from '../result/errors.ts';
import type { Environments, PrepareOptions } from './environments.ts';
import { parseFacts, type RunProgram } from './facts.ts';
import { createPlaces } from './places.ts';
import { factsProgram } from './programs.ts';
import { createShared } from './shared.ts';

export interface PackageVersion {
  name: string;
  version: string;
}

/** Which packages programs can import. */
export interface PackageLists {
  /**
   * Those of the image by name, and with requirements those of their environment, which is built where there is none.
   * Throws ServiceError, and the signal's reason.
   */
  of(requirements: readonly string[], options: PrepareOptions): Promise<PackageVersion[]>;
  /** Ends all work. */
  close(): Promise<void>;
}

const keptLists = 100;
const queueWaitSeconds = 60;

/** `image` is that of the sandboxes which are asked. */
export function createPackageLists(
  environments: Pick<Environments, 'prepare' | 'lost' | 'facts'>,
  runProgram: RunProgram,
  image: string,
): PackageLists {
  const known = new Map<string, PackageVersion[]>();
  const asked = createShared<PackageVersion[] | undefined>(
    createPlaces('lists of packages are being made', queueWaitSeconds),
  );

  function keep(name: string, packages: PackageVersion[]): void {
    known.set(name, packages);
    const [oldest] = known.keys();
    if (known.size > keptLists && oldest !== undefined) known.delete(oldest);
  }

  /** Undefined where the environment is not there after all. */
  async function look(
    requirements: readonly string[],
    options: PrepareOptions,
  ): Promise<PackageVersion[] | undefined> {
    const { key, path, created } = await environments.prepare(requirements, options);
    // An environment does not change, but one that was built again may hold other versions.
    const name = `${key} ${created}`;
    const read = async (signal: AbortSignal) => {
      const capture = await runProgram(image, { code: factsProgram(), environment: path }, signal);
      if (capture.exit?.cause === 'environment_missing') {
        await environments.lost(key);
        return undefined;
      }
      const packages = namesOf(parseFacts(capture));
      keep(name, packages);
      return packages;
    };
    return known.get(name) ?? asked.ask(name, read, options);
  }

  return {
    async of(requirements, options) {
      if (requirements.length === 0) return namesOf(await environments.facts(options));
      const found = (await look(requirements, options)) ?? (await look(requirements, options));
      if (!found)
        throw new ServiceError('sandbox_failed', 'The environment was built, and no sandbox finds it.');
      return found;
    },
    close: () => asked.close(),
  };
}

function namesOf({ packages }: { packages: PackageVersion[] }): PackageVersion[] {
  return packages.map(({ name, version }) => ({ name, version }));
}
