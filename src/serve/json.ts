import express, { type RequestHandler } from 'express';
import { ServiceError } from '../result/errors.ts';
import { bodyBytes } from './front.ts';

/** A body of small values takes many times its size, when it is parsed and when each is told to be wrong. */
const mostValues = 100_000;

/** The parser of JSON bodies of a door. With `strict` a body is an object or a list. */
export function jsonBody(sizes: Parameters<typeof bodyBytes>[0], { strict = true } = {}): RequestHandler {
  return express.json({
    limit: bodyBytes(sizes),
    strict,
    verify(_req, _res, bytes, encoding) {
      if (encoding !== 'utf-8')
        throw new ServiceError('invalid_request', `The body is ${encoding}; JSON is UTF-8.`);
      if (holdsMore(bytes, mostValues))
        throw new ServiceError('too_large', `The body holds more than ${mostValues} values.`);
    },
  });
}

const [quote, backslash, comma, list, object] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/** Whether JSON holds more values than that, by what begins each, without parsing it. */
export function holdsMore(json: Uint8Array, most: number): boolean {
  let count = 0;
  let isText = false;
  for (let at = 0; at < json.length && count <= most; at += 1) {
    const byte = json[at];
    if (isText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === comma || byte === list || byte === object) count += 1;
  }
  return count > most;
}
