import { Router, type Request, type Response } from 'express';
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { mimeTypeOf, nameOf } from '../../../artifacts/store.ts';
import { describeError, type ErrorCode, ServiceError } from '../../../result/errors.ts';
import type { SessionCall, Sessions } from '../../../sessions/sessions.ts';
import { logFailure } from '../../errors.ts';
import { goneSignal } from '../../gone.ts';
import type { Behind } from '../dialect.ts';
import { wordsOf } from './fault.ts';
import { isPossible } from './paths.ts';

/** An answer that is a line of text. */
interface Said {
  status: number;
  text: string;
}

type Found = { name: string; bytes: Buffer } | Said;

const notFound: Said = { status: 404, text: 'File not found' };

/** GET /artifacts/<path below output/>, with the session's header. What is refused is refused in the order of PRIMCS. */
export function artifactRoutes({ sessions, settings, callerOf, log }: Behind): Router {
  const router = Router({ strict: true });
  router.get(/^\/artifacts\//, async (req, res) => {
    const signal = goneSignal(res);
    try {
      const caller = () => callerOf(req);
      send(req, res, await find(req, sessions, { caller, signal }, settings.artifactBytes));
    } catch (error) {
      if (signal.aborted) return;
      logFailure(log, '/artifacts', error);
      res.status(describeError(error).http).type('text').send(wordsOf(error));
    }
  });
  return router;
}

async function find(
  req: Request,
  sessions: Sessions,
  { caller, signal }: { caller: () => string; signal: AbortSignal },
  maxBytes: number,
): Promise<Found> {
  const path = artifactPath(req.path);
  if (path === undefined) return { status: 400, text: 'Invalid artifact path' };
  const session = req.get('mcp-session-id');
  if (!session) return { status: 400, text: 'Missing mcp-session-id header' };
  const call = { caller: caller(), signal };
  const id = await sessions.findNamed(session, call);
  if (id === undefined) return notFound;
  if (path === '.') return { status: 404, text: 'Not a file' };
  const whole = `output/${path}`;
  if (!isPossible(whole)) return notFound;
  try {
    return { name: nameOf(path), bytes: await sessions.read(id, whole, maxBytes, call) };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (error.code === 'file_not_found') return notFound;
    if (error.code === 'file_unusable') return await unusable(sessions, id, whole, call);
    throw error;
  }
}

/** What is no regular file: a folder is no file, and below a file there is none; a link might lead out, and none is followed. */
async function unusable(sessions: Sessions, id: string, path: string, call: SessionCall): Promise<Said> {
  const folder = await codeOf(sessions.list(id, path, { recursive: false }, call));
  if (folder === undefined) return { status: 404, text: 'Not a file' };
  for (let above = posix.dirname(path); above !== 'output'; above = posix.dirname(above)) {
    const code = await codeOf(sessions.read(id, above, 1, call));
    if (code === undefined || code === 'too_large') return notFound;
  }
  return { status: 403, text: 'Forbidden' };
}

/** How what was asked of a path fails: undefined where it does not. Throws what is of no path. */
async function codeOf(asked: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    const isOfPath =
      error instanceof ServiceError && ['file_not_found', 'file_unusable', 'too_large'].includes(error.code);
    if (isOfPath) return error.code;
    throw error;
  }
}

/** The path below output/ that a URL names, "." for that itself; undefined where it leads out of it. */
export function artifactPath(urlPath: string): string | undefined {
  let path;
  try {
    path = decodeURIComponent(urlPath.slice('/artifacts/'.length));
  } catch {
    return undefined;
  }
  const normal = posix.normalize(path === '' ? '.' : path).replace(/(?<=.)\/$/, '');
  return normal.startsWith('/') || normal.split('/')[0] === '..' ? undefined : normal;
}

/** The bytes are a stranger's: they are to be saved, and a browser that shows them all the same does so in a sandbox. */
function send(req: Request, res: Response, found: Found): void {
  if ('text' in found) {
    res.status(found.status).type('text').send(found.text);
    return;
  }
  const { name, bytes } = found;
  res.set({
    'content-disposition': attachment(name.toWellFormed()),
    etag: `"${createHash('sha256').update(bytes).digest('hex')}"`,
    'content-type': mimeTypeOf(name),
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
  });
  if (req.fresh) res.status(304).end();
  else res.status(200).end(req.method === 'HEAD' ? undefined : bytes);
}

/** As PRIMCS writes it: a plain name stands between quotes, where its clients look for it, and any other is escaped. */
function attachment(name: string): string {
  const escaped = encodeURIComponent(name).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return escaped === name ? `attachment; filename="${name}"` : `attachment; filename*=utf-8''${escaped}`;
}
