import type { z } from 'zod';
import { describeError, ServiceError } from '../../../result/errors.ts';
import { together } from './installed.ts';
import type { Installation, Outcome } from './texts.ts';

const nothing: Outcome = { outcome: 'installed' };

export interface Installer {
  /** What may be required, as of any request. */
  schema: z.ZodType<string[]>;
  /** Makes the environment of requirements. Throws ServiceError, or the signal's reason. */
  build(requirements: string[], signal: AbortSignal): Promise<unknown>;
  signal: AbortSignal;
  /** Aborts when the time for all of it is over. */
  overdue: AbortSignal;
}

/** What is noted as a caller's. */
export interface Notes {
  read(): Promise<string[]>;
  add(requirements: readonly string[]): Promise<void>;
}

export const timedOut: Outcome = { outcome: 'timed_out', isOfPackages: false };

/**
 * Installs packages beside what is noted, and notes them. What another replica notes meanwhile may not go with them: then all
 * is installed once more beside that.
 */
export async function installNoted(
  packages: readonly string[],
  notes: Notes,
  installer: Installer,
): Promise<Installation[]> {
  let before = await notes.read();
  for (;;) {
    const { installations, installed } = await install(packages, before, installer);
    const added = installed.filter((requirement) => !before.includes(requirement));
    if (added.length === 0) return installations;
    const now = await notes.read();
    if (isSame(before, now)) {
      await notes.add(added);
      return installations;
    }
    before = now;
  }
}

function isSame(before: readonly string[], now: readonly string[]): boolean {
  return new Set(before).symmetricDifference(new Set(now)).size === 0;
}

/**
 * Installs packages beside what is installed before: all at one time, and where that cannot be, one after the other, so that
 * each has an answer of its own. `installed` is what there is then.
 */
export async function install(
  packages: readonly string[],
  before: readonly string[],
  installer: Installer,
): Promise<{ installations: Installation[]; installed: string[] }> {
  const faults = packages.map((each) => faultOf(installer, [each]));
  const sound = packages.filter((_, index) => faults[index] === undefined);
  const all = together(before, sound);
  const outcome = sound.length > 0 ? await attempt(all, installer) : nothing;
  if (outcome.outcome === 'installed' || !outcome.isOfPackages || sound.length < 2) {
    const installations = packages.map((each, index) => ({ package: each, ...(faults[index] ?? outcome) }));
    return { installations, installed: outcome.outcome === 'installed' ? all : [...before] };
  }
  let installed = [...before];
  const installations: Installation[] = [];
  for (const [index, each] of packages.entries()) {
    const wanted = faults[index] === undefined ? together(installed, [each]) : installed;
    const one = faults[index] ?? (await attempt(wanted, installer));
    if (one.outcome === 'installed') installed = wanted;
    installations.push({ package: each, ...one });
  }
  return { installations, installed };
}

function faultOf({ schema }: Installer, requirements: readonly string[]): Outcome | undefined {
  const parsed = schema.safeParse(requirements);
  if (parsed.success) return undefined;
  const why = parsed.error.issues.map(({ message }) => message).join('; ');
  return { outcome: 'failed', why, isOfPackages: true };
}

async function attempt(requirements: string[], installer: Installer): Promise<Outcome> {
  const fault = faultOf(installer, requirements);
  if (fault) return fault;
  const { build, signal, overdue } = installer;
  try {
    overdue.throwIfAborted();
    await build(requirements, AbortSignal.any([signal, overdue]));
    return { outcome: 'installed' };
  } catch (error) {
    signal.throwIfAborted();
    if (overdue.aborted) return timedOut;
    const { message, hint } = describeError(error).body.error;
    const isOfPackages = error instanceof ServiceError && error.code === 'build_failed';
    return { outcome: 'failed', why: `${message} ${hint}`, isOfPackages };
  }
}
