import type { PistonRuntime } from '../../../piston/piston.ts';

export const python = 'python';

/** Python by its own version and by those that clients ask for and the same Python answers to; each version once. */
export function pythonRuntimes(versions: readonly string[]): PistonRuntime[] {
  return [...new Set(versions)].map((version) => ({
    language: python,
    version,
    aliases: aliasesOf(version),
  }));
}

/** As Piston lists one: only some have `runtime`. */
export function listed({ language, version, aliases, runtime }: PistonRuntime): PistonRuntime {
  return { language, version, aliases, ...(runtime !== undefined && { runtime }) };
}

function aliasesOf(version: string): string[] {
  return ['py', 'py3', 'python3', `python${version.split('.').slice(0, 2).join('.')}`];
}
