import { Router, type Request, type Response } from 'express';
import { goneSignal } from '../../gone.ts';
import { jsonBody } from '../../json.ts';
import type { Behind, Dialect } from '../dialect.ts';
import { keyedCaller } from './caller.ts';
import { endAsLibreChat, LibreChatError } from './errors.ts';
import { execBody, execute } from './exec.ts';
import { deleteFile, describeFiles, describeObject, readFile } from './files.ts';
import { upload, uploadBatch } from './upload.ts';

/** LibreChat's Code Interpreter API, at the root and below /v1, where its clients' base URL may end. */
export const librechat: Dialect = {
  name: 'librechat',
  port: 8100,
  open: (behind) => ({ routes: routesOf(behind) }),
};

type Call = (
  req: Request,
  call: { caller: string; signal: AbortSignal },
  res: Response,
) => Promise<object | undefined>;

function routesOf(behind: Behind): Router {
  const { settings, shelf, log } = behind;
  const callerOf = keyedCaller(behind.callerOf);
  const json = jsonBody(settings);
  const router = Router({ strict: true });

  /** Answers with JSON what is given, or nothing where the work has answered. */
  const answer = (work: Call) => async (req: Request, res: Response) => {
    const caller = callerOf(req);
    const said = await work(req, { caller, signal: goneSignal(res) }, res);
    if (said) res.json(said);
  };

  const api = Router({ strict: true });
  api.post(
    '/exec',
    json,
    answer(async (req, call) => {
      const parsed = execBody.safeParse(req.body);
      if (!parsed.success) {
        const faults = parsed.error.issues.map(
          ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
        );
        throw new LibreChatError(400, faults.join('; '));
      }
      return await execute(behind, parsed.data, call);
    }),
  );
  api.post(
    '/upload',
    answer((req, call) => upload(shelf, settings, req, call)),
  );
  api.post(
    '/upload/batch',
    answer((req, call) => uploadBatch(shelf, settings, req, call)),
  );
  api.get(
    '/download/:session/:file',
    answer(async (req, { caller, signal }, res) => {
      const { name, type, bytes } = await readFile(shelf, idsOf(req), caller, signal);
      res.attachment(name).set({
        'content-type': type,
        'content-security-policy': "sandbox; default-src 'none'",
        'x-content-type-options': 'nosniff',
      });
      res.send(bytes);
      return undefined;
    }),
  );
  api.get(
    '/files/:session',
    answer(({ params, query }, { caller, signal }) =>
      describeFiles(
        shelf,
        String(params.session),
        typeof query.detail === 'string' ? query.detail : 'simple',
        caller,
        signal,
      ),
    ),
  );
  api.delete(
    '/files/:session/:file',
    answer((req, { caller, signal }) => deleteFile(shelf, idsOf(req), caller, signal)),
  );
  api.get(
    '/sessions/:session/objects/:file',
    answer((req, { caller, signal }) => describeObject(shelf, idsOf(req), caller, signal)),
  );
  router.use('/v1', api);
  router.use(api);
  endAsLibreChat(router, log);
  return router;
}

function idsOf({ params }: Request): { session: string; file: string } {
  return { session: String(params.session), file: String(params.file) };
}
