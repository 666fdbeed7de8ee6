import semver from 'semver';
import type { Runtime } from './runtimes.ts';

export class PackageError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const brokenSum = '482a608db628e7a4d578bcb112c48c81c0ab277c9af2b5da02f7b9926d77e10e';

/** An index of three packages, made up: one is there, one can be installed, the archive of one is damaged. */
export function createPackages(runtimes: Runtime[], hello: Runtime) {
  const index = [
    { language: 'python', version: '3.10.0' },
    { language: 'hello', version: '1.2.3' },
    { language: 'broken', version: '1.0.0' },
  ];
  const isInstalled = (language: string) => runtimes.some((runtime) => runtime.language === language);

  function find({ language, version }: Record<string, unknown>) {
    const found = index.find(
      (each) => each.language === language && semver.satisfies(each.version, String(version)),
    );
    if (found) return found;
    throw new PackageError(404, `Requested package ${String(language)}-${String(version)} does not exist`);
  }

  return {
    list: () =>
      index.map(({ language, version }) => ({
        language,
        language_version: version,
        installed: isInstalled(language),
      })),
    install(wanted: Record<string, unknown>) {
      const found = find(wanted);
      if (isInstalled(found.language)) throw new PackageError(500, 'Already installed');
      if (found.language === 'broken')
        throw new PackageError(500, `Checksum miss-match want: ${'0'.repeat(64)} got: ${brokenSum}`);
      runtimes.push(hello);
      return found;
    },
    uninstall(wanted: Record<string, unknown>) {
      const { language, version } = find(wanted);
      if (!isInstalled(language)) throw new PackageError(500, `${language}-${version} is not installed`);
      runtimes.splice(
        runtimes.findIndex((runtime) => runtime.language === language),
        1,
      );
      return { language, version };
    },
  };
}
