import { createHash } from 'node:crypto';
import type { CallerOf } from '../../caller.ts';
import { LibreChatError } from './errors.ts';

/**
 * Who asks: the caller that the proxy in front names, or else whoever has this key. A key is not checked here: it tells
 * callers apart, and nobody gets what another key made. Throws LibreChatError where there is none.
 */
export function keyedCaller(callerOf: CallerOf): CallerOf {
  return (headers) => {
    const key = headers.get('x-api-key') ?? /^Bearer\s+(.+)$/i.exec(headers.get('authorization') ?? '')?.[1];
    if (!key?.trim())
      throw new LibreChatError(401, 'An API key is required: send X-API-Key, or Authorization: Bearer');
    const named = callerOf(headers);
    return named === '' ? `key-${createHash('sha256').update(key.trim()).digest('hex').slice(0, 32)}` : named;
  };
}
