import { randomUUID } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import { nameOf } from '../../../artifacts/store.ts';
import { workspacePath } from '../../../request/session.ts';
import { unavailable } from '../../artifacts.ts';
import { goneSignal } from '../../gone.ts';
import type { Behind } from '../dialect.ts';
import { HttpError } from '../fastapi.ts';
import { MultipartFault, readMultipart } from '../multipart.ts';
import { valueError } from '../pydantic.ts';
import { forgetFile, keepFile, readFile } from './files.ts';

/** What Onyx asks beside runs: whether the service is well, and the files that its runs name by their ids. */
export function onyxRoutes({ shelf, settings, callerOf }: Behind): Router {
  const router = Router({ strict: true });

  const answer =
    (work: (req: Request, res: Response, caller: string) => Promise<void>) =>
    async (req: Request, res: Response) => {
      await work(req, res, callerOf(req));
    };

  router.get('/health', (_req, res) => {
    res.json({ status: 'ok', message: null });
  });

  router.post(
    '/v1/files',
    answer(async (req, res, caller) => {
      const signal = goneSignal(res);
      const [file] = await readMultipart(req, { files: 1, bytes: settings.inputBytes }, signal).catch(refuse);
      if (!file) throw missing();
      const [issue] = workspacePath.safeParse(file.name).error?.issues ?? [];
      if (issue) throw new HttpError(422, [valueError(['file'], issue.message, file.name)]);
      const id = randomUUID();
      await keepFile(shelf, { id, path: file.name, caller }, file.bytes, signal).catch(unavailable);
      res.status(201).json({ file_id: id, filename: file.name, size_bytes: file.bytes.length });
    }),
  );

  router.get(
    '/v1/files/:id',
    answer(async (req, res, caller) => {
      const found = await readFile(shelf, String(req.params.id), caller, goneSignal(res));
      if (!found) throw notFound(req);
      res.attachment(nameOf(found.name)).set({
        'content-type': 'application/octet-stream',
        'content-security-policy': "sandbox; default-src 'none'",
        'x-content-type-options': 'nosniff',
      });
      res.send(found.bytes);
    }),
  );

  router.delete(
    '/v1/files/:id',
    answer(async (req, res, caller) => {
      const signal = goneSignal(res);
      const id = String(req.params.id);
      if (!(await readFile(shelf, id, caller, signal))) throw notFound(req);
      await forgetFile(shelf, id, caller, signal);
      res.status(204).end();
    }),
  );

  return router;
}

function notFound({ params }: Request): HttpError {
  return new HttpError(404, `File with ID '${String(params.id)}' not found`);
}

function missing(): HttpError {
  return new HttpError(422, [{ type: 'missing', loc: ['body', 'file'], msg: 'Field required', input: null }]);
}

function refuse(error: unknown): never {
  if (!(error instanceof MultipartFault)) throw error;
  if (error.kind === 'form') throw missing();
  throw new HttpError(413, error.message);
}
