import type { Response } from 'express';
import { stops } from '../schedule/stop.ts';

/** Aborts when the client goes away before its answer. */
export function goneSignal(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort(stops.clientGone());
  });
  return gone.signal;
}
