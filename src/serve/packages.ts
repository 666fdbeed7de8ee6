import { Router, type Request } from 'express';
import { z } from 'zod';
import { type PackageSettings, requirementList } from '../request/requirements.ts';
import { ServiceError } from '../result/errors.ts';
import type { CallerOf } from './caller.ts';
import type { ListPackages } from './offers.ts';
import { goneSignal } from './gone.ts';

/** GET /v1/packages?requirement=a&requirement=b: what programs can import; what list_packages is in MCP. */
export function packageRoutes(
  listPackages: ListPackages,
  settings: PackageSettings,
  callerOf: CallerOf,
): Router {
  const query = z.strictObject({
    requirement: z.preprocess(
      (given) => (given === undefined ? [] : [given].flat()),
      requirementList(settings),
    ),
  });
  const router = Router();
  router.get('/v1/packages', async (req: Request, res) => {
    const parsed = query.safeParse(req.query);
    if (!parsed.success) {
      throw new ServiceError(
        'invalid_request',
        parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'query'}: ${message}`).join('; '),
      );
    }
    callerOf(req); // all are answered the same, but nobody who is unknown
    const onProgress = () => undefined;
    res.json(await listPackages(parsed.data.requirement, { signal: goneSignal(res), onProgress }));
  });
  return router;
}
