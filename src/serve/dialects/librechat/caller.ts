import { createHash } from 'node:crypto';
import type { CallerOf } from '../../caller.ts';

/**
 * Who asks: the caller that the proxy in front names, or else whoever has this key. A key is not checked here: it tells
 * callers apart, and nobody gets what another key made. LibreChat may send none, or a token that is another one a minute
 * later: those callers are one, and their files are found by ids of 126 random bits alone.
 */
export function keyedCaller(callerOf: CallerOf): CallerOf {
  return (headers) => {
    const named = callerOf(headers);
    const key = headers.get('x-api-key') ?? /^Bearer\s+(.+)$/i.exec(headers.get('authorization') ?? '')?.[1];
    const secret = key?.trim() ?? '';
    if (named !== '' || secret === '' || isToken(secret)) return named;
    return `key-${createHash('sha256').update(secret).digest('hex').slice(0, 32)}`;
  };
}

/** A JSON Web Token: three parts, of which the first two are JSON objects. */
function isToken(secret: string): boolean {
  return /^eyJ[\w-]*\.eyJ[\w-]*\.[\w-]*$/.test(secret);
}
