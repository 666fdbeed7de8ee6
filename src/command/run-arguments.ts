import { basename, isAbsolute, normalize } from 'node:path';

/** What `vivarium run` is asked. */
export interface RunArguments {
  file: string;
  /** The program's own. */
  args: string[];
  /** Files of this machine, and where the program finds them below mounts/. */
  mounts: { path: string; source: string }[];
  requirements: string[];
  /** Folder that gets the artifacts. */
  output: string | undefined;
}

/** Options come before the file, all that comes after it is the program's. Undefined where that cannot be read. */
export function parseRunArguments(given: readonly string[]): RunArguments | undefined {
  const parsed: Omit<RunArguments, 'file' | 'args'> = { mounts: [], requirements: [], output: undefined };
  const rest = [...given];
  while (rest[0]?.startsWith('-')) {
    const option = rest.shift();
    if (option === '--') break;
    const value = rest.shift();
    if (value === undefined) return undefined;
    if (option === '--file') parsed.mounts.push(parseMount(value));
    else if (option === '--require') parsed.requirements.push(value);
    else if (option === '--output') parsed.output = value;
    else return undefined;
  }
  const [file, ...args] = rest;
  return file === undefined ? undefined : { ...parsed, file, args };
}

/** "data.csv=/tmp/x.csv", or a path of this machine alone: its own path where that is below this folder, else its name. */
function parseMount(value: string): { path: string; source: string } {
  const split = value.indexOf('=');
  if (split >= 0) return { path: value.slice(0, split), source: value.slice(split + 1) };
  const path = normalize(value);
  return { path: isAbsolute(path) || /^\.\.(\/|$)/.test(path) ? basename(path) : path, source: value };
}
