import { type RequestHandler, Router } from 'express';
import { goneSignal } from '../../gone.ts';
import { jsonBody } from '../../json.ts';
import type { Behind, Dialect, Door } from '../dialect.ts';
import { readAsked, readWanted } from './ask.ts';
import { runElsewhere } from './elsewhere.ts';
import { pistonErrors } from './errors.ts';
import { languagesOf } from './languages.ts';
import { changePackage } from './packages.ts';
import { pythonLimits, pythonRunner } from './python.ts';
import { python } from './runtimes.ts';

/** The version of Piston whose interface this is. */
const spoken = '3.1.1';

/** Piston: its HTTP interface of version 2, with the paths of the public service, too. */
export const piston: Dialect = { name: 'piston', port: 2000, open };

function open(behind: Behind): Door {
  const { settings, log } = behind;
  const routes = Router();
  routes.use(jsonBody(settings));
  routes.get('/', (_req, res) => {
    res.json({ message: `Piston v${spoken}` });
  });
  routes.use('/api/v2', onlyJson);
  const api = apiRoutes(behind);
  routes.use('/api/v2/piston', api);
  routes.use('/api/v2', api);
  routes.use((_req, res) => {
    res.status(404).json({ message: 'Not Found' });
  });
  routes.use(pistonErrors(log));
  return { routes };
}

const onlyJson: RequestHandler = (req, res, next) => {
  const isRead = ['GET', 'HEAD', 'OPTIONS'].includes(req.method);
  if (isRead || req.get('content-type')?.startsWith('application/json')) {
    next();
    return;
  }
  res.status(415).json({ message: 'requests must be of type application/json' });
};

function apiRoutes(behind: Behind): Router {
  const { piston: other, pistonPlaces, settings, callerOf, log } = behind;
  const languages = languagesOf(behind);
  const runPython = pythonRunner(behind);
  const size = { files: settings.inputFiles, bytes: settings.inputBytes };
  const router = Router();

  router.post('/execute', async (req, res) => {
    const signal = goneSignal(res);
    const who = callerOf(req);
    const wanted = readWanted(req.body);
    const runtime = await languages.find(wanted, signal);
    const { language, version } = runtime;
    if (language === python || !other) {
      const asked = readAsked(req.body, runtime, { ...size, limits: pythonLimits(settings) });
      res.json({ run: await runPython(asked, who, signal), language, version });
      return;
    }
    const asked = readAsked(req.body, runtime, { ...size, limits: undefined });
    const answer = await runElsewhere(other, pistonPlaces, asked, signal);
    log.info({ language, version, status: answer.run.status, code: answer.run.code }, 'run on Piston');
    res.json(answer);
  });

  router.get('/runtimes', async (req, res) => {
    callerOf(req); // all are answered the same, but nobody who is unknown
    res.json(await languages.all(goneSignal(res)));
  });

  router.get('/packages', async (req, res) => {
    callerOf(req);
    res.json(await languages.packages(goneSignal(res)));
  });

  for (const method of ['POST', 'DELETE'] as const) {
    router[method === 'POST' ? 'post' : 'delete']('/packages', async (req, res) => {
      callerOf(req);
      const signal = goneSignal(res);
      const server = {
        piston: other,
        allowed: settings.pistonPackages,
        pythons: () => languages.pythons(signal),
      };
      const changed = await changePackage(method, req.body, server, signal);
      res.status(changed.status).json(changed.body);
    });
  }

  return router;
}
