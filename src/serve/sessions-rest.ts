import { raw, Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { mimeTypeOf } from '../artifacts/store.ts';
import { sessionId, sessionRequest, type SessionSettings, workspacePath } from '../request/session.ts';
import { folderQuery } from '../request/workspace.ts';
import { ServiceError } from '../result/errors.ts';
import { forwardedHeader } from '../sessions/peer.ts';
import type { SessionCall, Sessions } from '../sessions/sessions.ts';
import type { CallerOf } from './caller.ts';
import { goneSignal } from './gone.ts';

/** Most of a file that is read: it is held in memory, on two servers if it is on its way through another. */
export const maxReadBytes = 33_554_432;

/** The query of a listing, where all is text. */
export const listQuery = folderQuery.extend({
  recursive: z
    .enum(['true', 'false'])
    .default('false')
    .describe(folderQuery.shape.recursive.description ?? '')
    .transform((text) => text === 'true'),
});

type CallOf = (req: Request, res: Response) => SessionCall;

/** /v1/sessions, but for the bytes of files. */
export function sessionRoutes(sessions: Sessions, settings: SessionSettings, callerOf: CallerOf): Router {
  const schema = sessionRequest(settings);
  const callOf = calls(callerOf);
  const router = Router();

  router.post('/v1/sessions', async (req, res) => {
    const request = checked(schema, req.body ?? {}, 'body');
    res.status(201).json(await sessions.create(request, callOf(req, res)));
  });

  router.delete('/v1/sessions/:id', async (req, res) => {
    const session_id = idOf(req);
    await sessions.end(session_id, callOf(req, res));
    res.json({ session_id });
  });

  router.get('/v1/sessions/:id/files', async (req, res) => {
    const { path, recursive } = checked(listQuery, req.query, 'query');
    res.json(await sessions.list(idOf(req), path, { recursive }, callOf(req, res)));
  });

  return router;
}

/**
 * GET and PUT of a session's file, its bytes as they are. Stands before what takes bodies for JSON. The bytes are a
 * stranger's, as those of artifacts are.
 */
export function sessionFileRoutes(
  sessions: Pick<Sessions, 'read' | 'write'>,
  { inputBytes }: { inputBytes: number },
  callerOf: CallerOf,
): Router {
  const callOf = calls(callerOf);
  const router = Router();

  router.get('/v1/sessions/:id/files/*path', async (req, res) => {
    const path = pathOf(req);
    const bytes = await sessions.read(idOf(req), path, maxReadBytes, callOf(req, res));
    const name = path.split('/').at(-1) ?? '';
    res.attachment(name);
    res.writeHead(200, {
      'content-type': mimeTypeOf(name),
      'content-length': bytes.length,
      'cache-control': 'no-store',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
    });
    res.end(bytes);
  });

  router.put(
    '/v1/sessions/:id/files/*path',
    raw({ type: () => true, limit: inputBytes }),
    async (req, res) => {
      const path = pathOf(req);
      // A request without a body has none: an empty file.
      const bytes = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
      await sessions.write(idOf(req), path, bytes, callOf(req, res));
      res.json({ path, size: bytes.length });
    },
  );

  return router;
}

function calls(callerOf: CallerOf): CallOf {
  return (req, res) => ({
    caller: callerOf(req),
    signal: goneSignal(res),
    forwarded: req.get(forwardedHeader) !== undefined,
  });
}

/** Neither the path nor the id is repeated: whoever has the id has the session. */
function idOf(req: Request): string {
  return checked(sessionId, req.params.id, 'session_id');
}

function pathOf(req: Request): string {
  return checked(workspacePath, [req.params.path ?? ''].flat().join('/'), 'path');
}

function checked<Schema extends z.ZodType>(schema: Schema, given: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ServiceError(
    'invalid_request',
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || what}: ${message}`).join('; '),
  );
}
