import type { ExecutionResult } from './execution-result.ts';
import { missingModuleHint } from './missing-module.ts';
import type { InstalledPackage } from './packages.ts';
import { missingFile, missingLibrary, missingModule } from './traceback.ts';

export { missingModule } from './traceback.ts';

type Result = Pick<ExecutionResult, 'stdout_bytes' | 'stderr' | 'value' | 'left_out'>;

export interface About {
  result: Result;
  /** Paths of the request's files below mounts/. */
  mounts: readonly string[];
  /** What the request asked for. */
  requirements: readonly string[];
  /** Those of the image; undefined where they are not known. */
  packages: readonly InstalledPackage[] | undefined;
  /** Whether a request may require a package of this name; false for all where there are no environments. */
  mayRequire(name: string): boolean;
  /** Whether the run was in a session, which has its requirements and files from before. */
  inSession: boolean;
}

const mostPaths = 20;

/** What a caller may want to know about a result, one sentence or two each. */
export function hintsFor(about: About): string[] {
  const hints = [
    moduleHint(about),
    requirementsHint(about),
    libraryHint(about),
    fileHint(about),
    outputHint(about),
    leftOutHint(about),
  ];
  return hints.filter((hint) => hint !== undefined);
}

function moduleHint({ result, mounts, requirements, packages, mayRequire }: About): string | undefined {
  const module = missingModule(result.stderr);
  if (module === undefined) return undefined;
  const [top = ''] = module.split('.');
  const mounted = mounts.find((path) => path === `${top}.py` || path.startsWith(`${top}/`));
  return mounted === undefined
    ? missingModuleHint(module, { installed: packages ?? [], required: requirements, mayRequire })
    : `mounts/${mounted} is not on the path of modules: begin with import sys; sys.path.insert(0, "/workspace/mounts").`;
}

function requirementsHint({ result, inSession, mayRequire }: About): string | undefined {
  const module = missingModule(result.stderr);
  return inSession && module !== undefined && mayRequire(module.split('.')[0] ?? '')
    ? 'A session has the requirements that it was created with: for others create a new one.'
    : undefined;
}

/** The one package that many name and that cannot be imported here. */
function libraryHint({ result, mayRequire }: About): string | undefined {
  const library = missingLibrary(result.stderr);
  if (library === undefined) return undefined;
  const isOpenGl = /^lib(GL|gthread)/.test(library) && result.stderr.includes('cv2');
  return isOpenGl && mayRequire('opencv-python-headless')
    ? 'Require "opencv-python-headless" in place of "opencv-python": it needs no display.'
    : `The sandbox has no ${library}, which the package needs: packages that bring their libraries with them can be imported.`;
}

function fileHint({ result, mounts, inSession }: About): string | undefined {
  const missing = missingFile(result.stderr);
  if (!missing) return undefined;
  const { path, isProgram } = missing;
  const wanted = baseName(path);
  if (isProgram) return `There is no program "${wanted}" in the sandbox.`;
  const alike = mounts.filter((mount) => baseName(mount).toLowerCase() === wanted.toLowerCase());
  const below = alike.some((mount) => path === `mounts/${mount}`) ? '/workspace/mounts' : 'mounts';
  if (alike.length > 0) return `Read it at ${list(alike, below, ' or ')}.`;
  if (inSession) return `list_files says what is in the workspace; there is no ${path}.`;
  return mounts.length > 0
    ? `Files of the request are below mounts/. There are: ${list(mounts, 'mounts', ', ')}.`
    : 'No files came with the request: those that it names in `files` are below mounts/.';
}

function list(paths: readonly string[], below: string, between: string): string {
  const some = paths.slice(0, mostPaths).map((path) => `${below}/${path}`);
  const more = paths.length - some.length;
  return some.join(between) + (more > 0 ? ` and ${more} more` : '');
}

function outputHint({ result }: About): string | undefined {
  const { stdout_bytes, value } = result;
  return stdout_bytes === 0 && value
    ? 'Nothing was printed; the value of the last expression is in `value`.'
    : undefined;
}

type Reason = ExecutionResult['left_out']['files'][number]['reason'];

/** Why files are left out, in words. */
export const leftOutReasons: Record<Reason, string> = {
  type: 'no regular file',
  count: 'over the number of files that are kept',
  size: 'over the size that is kept',
  name: 'names that are not UTF-8, too long or too deep',
  unreadable: 'could not be read',
};

function leftOutHint({ result: { left_out } }: About): string | undefined {
  const { total, files } = left_out;
  if (total === 0) return undefined;
  const counts = new Map<Reason, number>();
  for (const { reason } of files) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const why = [...counts].map(([reason, count]) => `${leftOutReasons[reason]} (${count})`);
  if (total > files.length) why.push(`not named here (${total - files.length})`);
  const what = total === 1 ? '1 file that the run left was' : `${total} files that the run left were`;
  return `${what} left out: ${why.join(', ')}.`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
