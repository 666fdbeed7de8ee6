import { z } from 'zod';

const maxRequirements = 50;
const maxCharacters = 200;

export interface PackageSettings {
  /** Packages that may be asked for, `types-*` for all that begin so; empty: all. */
  packagesAllowed: readonly string[];
  /** Packages that may not be. */
  packagesDenied: readonly string[];
}

const name = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?';
/** PEP 440, but for its `v` in front and its local part. */
const release = '(?:[0-9]+!)?[0-9]+(?:\\.[0-9]+)*';
const pre = '(?:[-_.]?(?:alpha|beta|preview|pre|a|b|c|rc)[-_.]?[0-9]*)?';
const post = '(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?';
const dev = '(?:[-_.]?dev[-_.]?[0-9]*)?';
const local = '(?:\\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?';
const version = new RegExp(`^v?${release}${pre}${post}${dev}$`, 'i');
const localVersion = new RegExp(`^v?${release}${pre}${post}${dev}${local}$`, 'i');
const wildcard = new RegExp(`^v?${release}\\.\\*$`, 'i');

const requirement = new RegExp(`^(${name}) *(?:\\[([^\\]]*)\\])? *(.*)$`);
const extra = new RegExp(`^${name}$`);
const specifier = /^(===|==|!=|<=|>=|~=|<|>) *([^ ]+)$/;

/** File names that installers take for archives, and the file that lists requirements. */
const fileName = /\.(?:whl|egg|zip|txt|tar|tgz|tbz2?|txz|tlz|tar\.[a-z0-9]+)$/i;

/** The field `requirements`, given which packages the operator allows. */
export function requirementList(settings: PackageSettings) {
  return z
    .array(
      z
        .string()
        .max(maxCharacters, {
          error: `the requirement is longer than ${maxCharacters} characters`,
          abort: true,
        })
        .superRefine((text, context) => {
          const fault = requirementFault(text, settings);
          if (fault) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)}: ${fault}` });
        }),
    )
    .max(maxRequirements, { error: `there are more than ${maxRequirements} requirements` })
    .default([])
    .describe(
      'Packages that the program imports beside the installed ones: names with optional extras and versions, as in "polars", "httpx[http2]>=0.27,<1". No URLs, paths, markers or options.',
    );
}

/**
 * What `requirementList` has let pass, one for each package: names as in PEP 503, extras and versions sorted, all
 * sorted. Equal sets give equal lists.
 */
export function normalise(requirements: readonly string[]): string[] {
  const packages = new Map<string, { extras: Set<string>; specifiers: Set<string> }>();
  for (const text of requirements) {
    const parsed = parse(text);
    if (typeof parsed === 'string') throw new Error(`${JSON.stringify(text)}: ${parsed}`);
    const known = packages.get(parsed.name) ?? { extras: new Set(), specifiers: new Set() };
    for (const each of parsed.extras) known.extras.add(each);
    for (const each of parsed.specifiers) known.specifiers.add(each);
    packages.set(parsed.name, known);
  }
  return [...packages]
    .map(([packageName, { extras, specifiers }]) => {
      const brackets = extras.size > 0 ? `[${[...extras].sort().join(',')}]` : '';
      return `${packageName}${brackets}${[...specifiers].sort().join(',')}`;
    })
    .sort();
}

interface Requirement {
  /** As in PEP 503. */
  name: string;
  extras: string[];
  specifiers: string[];
}

function requirementFault(text: string, settings: PackageSettings): string | undefined {
  const parsed = parse(text);
  return typeof parsed === 'string' ? parsed : policyFault(parsed.name, settings);
}

/** The requirement, or what is wrong with it. */
function parse(text: string): Requirement | string {
  const foreign = foreignForm(text);
  if (foreign) return foreign;
  const [, found, brackets, rest = ''] = requirement.exec(text) ?? [];
  if (found === undefined)
    return 'it does not begin with the name of a package: letters, digits, ".", "-", "_", as in "numpy==2.1.0"';
  const extras = brackets === undefined || brackets.trim() === '' ? [] : list(brackets);
  const wrongExtra = extras.find((each) => !extra.test(each));
  if (wrongExtra !== undefined)
    return `${JSON.stringify(wrongExtra)} is no name of an extra: write "${found}[one,two]"`;
  const specifiers = rest === '' ? [] : list(rest);
  const wrong = specifiers.find((each) => !isSpecifier(each));
  if (wrong !== undefined)
    return `${JSON.stringify(wrong)} is no version: write "${found}==1.2.3" or "${found}>=1.2,<2"`;
  return {
    name: canonical(found),
    extras: extras.map(canonical),
    specifiers: specifiers.map((each) => each.replaceAll(' ', '').toLowerCase()),
  };
}

/** What installers take beside names and versions, each refused by its name. */
function foreignForm(text: string): string | undefined {
  const strange = /[^\x20-\x7e]/u.exec(text)?.[0];
  const forms: [found: boolean, fault: string][] = [
    [text.trim() === '', 'it is empty: name a package, as in "numpy"'],
    [/[\r\n]/.test(text), 'it has more than one line: give each requirement by itself'],
    [
      strange !== undefined,
      `the character U+${codeOf(strange)} is not allowed: names and versions are plain ASCII`,
    ],
    [text !== text.trim(), 'there is a space before or after it: leave that out'],
    [text.startsWith('-'), 'options are not taken: name only packages, as in "numpy==2.1.0"'],
    [text.includes('$'), 'variables are not replaced: write the name and the version themselves'],
    [text.includes('#'), 'comments are not taken: leave out "#" and what follows'],
    [text.includes(';'), 'markers are not taken: leave out ";" and what follows'],
    [
      /:\/\/|@|^[a-z+]+:/i.test(text),
      'URLs are not taken: name the package and a version of it, as in "numpy==2.1.0"',
    ],
    [
      /[/\\]|^[.~]/.test(text),
      'paths are not taken: name the package and a version of it, as in "numpy==2.1.0"',
    ],
    [fileName.test(text), 'files are not taken: name the package and a version of it, as in "numpy==2.1.0"'],
  ];
  return forms.find(([found]) => found)?.[1];
}

function isSpecifier(text: string): boolean {
  const [, operator = '', given = ''] = specifier.exec(text) ?? [];
  switch (operator) {
    case '==':
    case '!=':
      return localVersion.test(given) || wildcard.test(given);
    case '===':
      return localVersion.test(given);
    case '~=':
      // "Compatible" says which parts may change: it needs two.
      return version.test(given) && /^v?(?:[0-9]+!)?[0-9]+\.[0-9]/i.test(given);
    case '':
      return false;
    default:
      return version.test(given);
  }
}

function policyFault(packageName: string, settings: PackageSettings): string | undefined {
  if (settings.packagesDenied.some((pattern) => matches(pattern, packageName)))
    return `the package "${packageName}" is not allowed on this server (packagesDenied)`;
  if (
    settings.packagesAllowed.length > 0 &&
    !settings.packagesAllowed.some((pattern) => matches(pattern, packageName))
  )
    return `the package "${packageName}" is not among those that this server allows (packagesAllowed)`;
  return undefined;
}

/** `types-*` matches all names that begin so. */
function matches(pattern: string, packageName: string): boolean {
  const wanted = canonical(pattern);
  return wanted.endsWith('*') ? packageName.startsWith(wanted.slice(0, -1)) : packageName === wanted;
}

/** PEP 503. */
function canonical(text: string): string {
  return text.replaceAll(/[-_.]+/g, '-').toLowerCase();
}

function list(text: string): string[] {
  return text.split(',').map((each) => each.trim());
}

function codeOf(character = ''): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
