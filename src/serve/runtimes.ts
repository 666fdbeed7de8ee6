import { Router } from 'express';
import type { Piston } from '../piston/piston.ts';
import { isPistonFault } from '../piston/runtimes.ts';
import type { RuntimeList } from '../result/session.ts';
import type { CallerOf } from './caller.ts';
import { goneSignal } from './gone.ts';
import type { ListRuntimes } from './offers.ts';

/** Python of the sandboxes, and what a Piston has beside it. */
export function runtimeLister(
  pythonVersion: (options: Parameters<ListRuntimes>[0]) => Promise<string>,
  piston: Pick<Piston, 'runtimes'> | undefined,
): ListRuntimes {
  return async (options) => {
    const [version, { others, hints }] = await Promise.all([
      pythonVersion(options),
      othersOf(piston, options.signal),
    ]);
    return {
      runtimes: [{ language: 'python', version, aliases: [], isolation: 'sandbox' }, ...others],
      hints,
    };
  };
}

/** Python does not need Piston: one that fails is told of. */
async function othersOf(
  piston: Pick<Piston, 'runtimes'> | undefined,
  signal: AbortSignal,
): Promise<{ others: RuntimeList['runtimes']; hints: string[] }> {
  try {
    const others = ((await piston?.runtimes(signal)) ?? [])
      .filter(({ language }) => language !== 'python')
      .map(({ language, version, aliases }) => ({
        language,
        version,
        aliases,
        isolation: 'piston' as const,
      }));
    return { others, hints: [] };
  } catch (error) {
    if (!isPistonFault(error)) throw error;
    return { others: [], hints: [`Other languages than Python are not listed: ${error.message}`] };
  }
}

/** GET /v1/runtimes: what list_runtimes is in MCP. */
export function runtimeRoutes(listRuntimes: ListRuntimes, callerOf: CallerOf): Router {
  const router = Router();
  router.get('/v1/runtimes', async (req, res) => {
    callerOf(req); // all are answered the same, but nobody who is unknown
    res.json(await listRuntimes({ signal: goneSignal(res), onProgress: () => undefined }));
  });
  return router;
}

/** Languages, one a line, and why some may be missing. */
export function renderRuntimes({ runtimes, hints }: RuntimeList): string {
  const lines = runtimes.map(({ language, version, aliases, isolation }) => {
    const names = aliases.length > 0 ? ` (${aliases.join(', ')})` : '';
    return `${language} ${version}${names}${isolation === 'piston' ? ', on a shared service' : ''}`;
  });
  return [...lines, ...hints].join('\n');
}
