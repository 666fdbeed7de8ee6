import { Router, type Request } from 'express';
import { pipeline } from 'node:stream/promises';
import { StoreError, type ByteRange } from '../artifacts/blobs.ts';
import type { ArtifactStore, FoundArtifact } from '../artifacts/store.ts';
import { ServiceError } from '../result/errors.ts';
import type { CallerOf } from './caller.ts';
import { goneSignal } from './gone.ts';

/** Longest time that a client may keep an artifact without asking again. */
const cacheSeconds = 3600;

export interface ArtifactEvents {
  /** The store failed when the answer had begun: the client sees it break off. */
  broken(id: string, error: unknown): void;
}

/**
 * GET and HEAD of /v1/artifacts/:id, for the caller whose run made it. Its bytes are a stranger's: they are to be saved,
 * and a browser that shows them all the same does so in a sandbox.
 */
export function artifactRoutes(
  store: Pick<ArtifactStore, 'get'>,
  callerOf: CallerOf,
  events: ArtifactEvents,
): Router {
  const router = Router();

  router.get('/v1/artifacts/:id', async (req: Request<{ id: string }>, res) => {
    const { id } = req.params;
    const caller = callerOf(req);
    const gone = goneSignal(res);
    const found = await store.get(id, caller, gone).catch(unavailable);
    if (!found) throw notFound();
    const headers = headersOf(found);
    if (isKnown(req, headers.etag)) {
      res.writeHead(304, headers).end();
      return;
    }
    if (req.method === 'HEAD') {
      res.attachment(found.artifact.name.toWellFormed());
      res.writeHead(200, { ...headers, ...contentHeaders(found, undefined) }).end();
      return;
    }
    const range = rangeOf(req, found.artifact.size, headers.etag);
    if (range === 'outside') {
      res.writeHead(416, { ...headers, 'content-range': `bytes */${found.artifact.size}` }).end();
      return;
    }
    const body = await found.read(range, gone).catch(unavailable);
    if (!body) throw notFound();
    body.once('error', (error) => {
      if (!gone.aborted) events.broken(id, error);
    });
    res.attachment(found.artifact.name.toWellFormed());
    res.writeHead(range ? 206 : 200, { ...headers, ...contentHeaders(found, range) });
    // Too late for an error's answer: the connection breaks off, and the client knows the length.
    await pipeline(body, res).catch(() => undefined);
  });

  return router;
}

/** Of every answer about an artifact. */
function headersOf({ artifact: { sha256 }, expires }: FoundArtifact) {
  const left = Math.floor((expires.getTime() - Date.now()) / 1000);
  return {
    etag: `"${sha256}"`,
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${Math.max(0, Math.min(cacheSeconds, left))}`,
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
  };
}

function contentHeaders({ artifact: { mime_type, size } }: FoundArtifact, range: ByteRange | undefined) {
  return {
    'content-type': mime_type,
    'content-length': range ? range.end - range.start + 1 : size,
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
  };
}

/** Whether the client has this version already. */
function isKnown(req: Request<{ id: string }>, etag: string): boolean {
  const known = (req.get('if-none-match') ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}

/** The one range that is asked for; undefined for the whole, which several ranges get too, and those of another version. */
function rangeOf(req: Request<{ id: string }>, size: number, etag: string) {
  const version = req.get('if-range');
  if (version !== undefined && version !== etag) return undefined;
  const ranges = req.range(size);
  if (ranges === -1) return 'outside';
  if (!Array.isArray(ranges) || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}

/** Throws what callers may see of a failure of the store. */
export function unavailable(error: unknown): never {
  if (!(error instanceof StoreError)) throw error;
  throw new ServiceError('artifacts_unavailable', `The artifact store failed: ${error.message}.`, {
    cause: error,
  });
}

function notFound(): ServiceError {
  return new ServiceError(
    'not_found',
    'There is no such artifact for this caller; artifacts are kept for a limited time.',
  );
}
