import { distributions, formerModules, misnomers, standardModules, wellKnown } from './modules.ts';
import { canonicalName, type InstalledPackage } from './packages.ts';
import { nearest } from './spelling.ts';

export interface Packages {
  /** Those of the image, where they are known. */
  installed: readonly InstalledPackage[];
  /** What the request asked for. */
  required: readonly string[];
  /** Whether a request may require a package of this name. */
  mayRequire(name: string): boolean;
}

const known = new Map(wellKnown.map((name) => [name, canonicalName(name)]));
const importNames = new Map(Object.entries(distributions).map(([module, name]) => [name, module]));

/** Why a module is missing and what to do, in a sentence or two. `module` is a dotted name. */
export function missingModuleHint(module: string, packages: Packages): string {
  const [top = ''] = module.split('.');
  return (
    installedHint(module, top, packages.installed) ??
    formerHint(top) ??
    knownHint(module, packages) ??
    spellingHint(top, packages) ??
    (packages.mayRequire(canonicalName(top))
      ? `No package is known by the import name "${top}": if you know the package, name it in requirements.`
      : `Nothing that is installed here has a module "${top}": list_packages says what is.`)
  );
}

/** It is there, by another name or without this part. */
function installedHint(
  module: string,
  top: string,
  installed: readonly InstalledPackage[],
): string | undefined {
  const others = distributionOf(module);
  const owner = installed.find(({ modules }) => modules.includes(top));
  // Many packages share a top-level module such as `google`: the part that is missing may be of another.
  if (owner && (others === undefined || canonicalName(owner.name) === others)) {
    return module === top
      ? undefined
      : `${owner.name} ${owner.version} is installed and has no module ${module}: other versions may.`;
  }
  const namesake = installed.find(({ name }) => canonicalName(name) === canonicalName(top));
  const real = namesake && moduleOf(namesake);
  return real === undefined ? undefined : `${namesake?.name} is installed: import ${real}.`;
}

/** The module that a package is imported by. */
function moduleOf({ name, modules }: InstalledPackage): string | undefined {
  const usual = importNames.get(canonicalName(name));
  return modules.find((module) => module === usual) ?? modules.find((module) => !module.startsWith('_'));
}

/** It is of another Python. */
function formerHint(top: string): string | undefined {
  if (!Object.hasOwn(formerModules, top)) return undefined;
  const { gone, instead } = formerModules[top] ?? { gone: '', instead: '' };
  return `${top} is not in ${gone} and later: use ${instead} in its place.`;
}

/** Its package is known. */
function knownHint(module: string, packages: Packages): string | undefined {
  const [top = ''] = module.split('.');
  const name = distributionOf(module);
  if (name !== undefined) return requireHint(name, module, packages);
  const meant = Object.hasOwn(misnomers, top) ? misnomers[top] : importNames.get(canonicalName(top));
  if (meant === undefined) return undefined;
  const owner = packages.installed.find(({ modules }) => modules.includes(meant));
  if (owner) return `${owner.name} is installed: import ${meant}.`;
  const missing = distributionOf(meant);
  return missing === undefined
    ? undefined
    : `${requireHint(missing, module, packages)} Then import ${meant}.`;
}

/** It is nearly the name of another. */
function spellingHint(top: string, packages: Packages): string | undefined {
  const installed = packages.installed.flatMap(({ modules }) => modules);
  const there = nearest(top, [...standardModules, ...installed]);
  const elsewhere = nearest(top, [...Object.keys(distributions), ...known.keys()]);
  const meant = there ?? elsewhere;
  if (meant === undefined) return undefined;
  const name = meant === there ? undefined : distributionOf(meant);
  const isThere = name === undefined || packages.installed.some((each) => canonicalName(each.name) === name);
  return `Did you mean ${meant}?${isThere ? '' : ` ${requireHint(name, meant, packages)}`}`;
}

function requireHint(name: string, module: string, { required, mayRequire }: Packages): string {
  const isRequired = required.some((each) => canonicalName(/^[\w.-]*/.exec(each)?.[0] ?? '') === name);
  if (isRequired) return `"${name}" is among the requirements, and has no module ${module} in this version.`;
  if (mayRequire(name)) return `Add "${name}" to requirements.`;
  return `"${name}" is not installed, and cannot be required on this server: list_packages says what is there.`;
}

/** The distribution of a module, by the most exact name that is known. */
function distributionOf(module: string): string | undefined {
  const parts = module.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const name = parts.slice(0, length).join('.');
    if (Object.hasOwn(distributions, name)) return distributions[name];
  }
  return known.get(parts[0] ?? '');
}
