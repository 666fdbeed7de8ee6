import type { Piston, PistonRuntime } from '../../../piston/piston.ts';
import { findRuntime } from '../../../piston/runtimes.ts';
import { Refusal } from './refusal.ts';
import { python } from './runtimes.ts';

/** Installs or removes a package of the Piston behind. Python is part of this server. Throws Refusal, and what that Piston does. */
export async function changePackage(
  method: 'POST' | 'DELETE',
  body: unknown,
  {
    piston,
    allowed,
    pythons,
  }: { piston: Pick<Piston, 'change'> | undefined; allowed: boolean; pythons(): Promise<PistonRuntime[]> },
  signal: AbortSignal,
): Promise<{ status: number; body: unknown }> {
  if (!allowed)
    throw new Refusal(
      'Packages cannot be changed here: the operator has not allowed it (pistonPackages)',
      403,
    );
  const { language, version } = (body ?? {}) as { language?: unknown; version?: unknown };
  const name = `${String(language)}-${String(version)}`;
  const missing = new Refusal(`Requested package ${name} does not exist`, 404);
  if (typeof language !== 'string' || typeof version !== 'string') throw missing;
  if (language === python) {
    if (!findRuntime(await pythons(), language, version)) throw missing;
    throw new Refusal(method === 'POST' ? 'Already installed' : `${name} is part of this server`, 500);
  }
  if (!piston) throw missing;
  return piston.change(method, { language, version }, signal);
}
