import { Router } from 'express';
import type { Piston } from '../piston/piston.ts';
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
    const [version, others = []] = await Promise.all([
      pythonVersion(options),
      piston?.runtimes(options.signal),
    ]);
    const elsewhere = others
      .filter(({ language }) => language !== 'python')
      .map(({ language, version: of, aliases }) => ({
        language,
        version: of,
        aliases,
        isolation: 'piston' as const,
      }));
    return {
      runtimes: [{ language: 'python', version, aliases: [], isolation: 'sandbox' }, ...elsewhere],
    };
  };
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

/** Languages, one a line. */
export function renderRuntimes({ runtimes }: RuntimeList): string {
  return runtimes
    .map(({ language, version, aliases, isolation }) => {
      const names = aliases.length > 0 ? ` (${aliases.join(', ')})` : '';
      return `${language} ${version}${names}${isolation === 'piston' ? ', on a shared service' : ''}`;
    })
    .join('\n');
}
