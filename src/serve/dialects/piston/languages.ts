import type { Piston, PistonPackage, PistonRuntime } from '../../../piston/piston.ts';
import { findRuntime, isPistonFault } from '../../../piston/runtimes.ts';
import { isPython } from '../../../request/language.ts';
import { logFailure } from '../../errors.ts';
import type { Behind } from '../dialect.ts';
import type { Wanted } from './ask.ts';
import { Refusal } from './refusal.ts';
import { listed, python, pythonRuntimes } from './runtimes.ts';

/** What can be run: Python here, all else on the Piston behind, where there is one. Throws what these do. */
export function languagesOf({
  offers,
  piston,
  settings,
  log,
}: Pick<Behind, 'offers' | 'piston' | 'settings' | 'log'>) {
  const { pistonPythons, pistonPackages } = settings;

  /** Its own version first. */
  async function pythons(signal: AbortSignal): Promise<PistonRuntime[]> {
    const { python: version } = await offers.listPackages([], { signal, onProgress: () => undefined });
    return pythonRuntimes([version, ...pistonPythons]);
  }

  return {
    async all(signal: AbortSignal): Promise<PistonRuntime[]> {
      const [here, there] = await Promise.all([
        pythons(signal),
        fromPiston((other) => other.runtimes(signal)),
      ]);
      return [...here, ...there.filter(({ language }) => language !== python).map(listed)];
    },
    async packages(signal: AbortSignal): Promise<PistonPackage[]> {
      const [here, there] = await Promise.all([
        pythons(signal),
        fromPiston((other) => packagesOf(other, signal)),
      ]);
      return [
        ...here.map(({ version }) => ({ language: python, language_version: version, installed: true })),
        ...there.filter(({ language }) => language !== python),
      ];
    },
    pythons,
    /** Throws Refusal where there is none. */
    async find({ language, version }: Wanted, signal: AbortSignal): Promise<PistonRuntime> {
      const found = findRuntime(await candidates(language, version, signal), language, version);
      if (!found) throw new Refusal(`${language}-${version} runtime is unknown`);
      return found;
    },
  };

  /** What it has; nothing where it does not answer: Python does not need it. */
  async function fromPiston<T>(ask: (piston: Piston) => Promise<T[]>): Promise<T[]> {
    try {
      return piston ? await ask(piston) : [];
    } catch (error) {
      if (!isPistonFault(error)) throw error;
      logFailure(log, 'list of languages', error);
      return [];
    }
  }

  /** A Piston that reaches no package index ends when it is asked for packages: one that is set up so is asked what it runs. */
  async function packagesOf(asked: Piston, signal: AbortSignal): Promise<PistonPackage[]> {
    if (pistonPackages) return asked.packages(signal);
    const packages = (await asked.runtimes(signal)).map(({ language, runtime = language, version }) => ({
      language: runtime,
      language_version: version,
      installed: true,
    }));
    return [...new Map(packages.map((each) => [`${each.language} ${each.language_version}`, each])).values()];
  }

  async function candidates(
    language: string,
    version: string,
    signal: AbortSignal,
  ): Promise<PistonRuntime[]> {
    if (!isPython(language)) {
      const there = (await piston?.runtimes(signal)) ?? [];
      return there.filter((each) => each.language !== python);
    }
    // What Python there is, is a question to a sandbox, once: who names a version that it goes by need not wait.
    return pistonPythons.includes(version) ? pythonRuntimes([version]) : pythons(signal);
  }
}
