import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

const mostBytes = 102_400;

/** A body that cannot be read: answered with the stack of the error, as Piston does. */
export class BodyError extends Error {}

/** The body as its type says it: {} for what is no JSON. Throws BodyError. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await buffer(request);
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  if (type.trim() !== 'application/json' || bytes.length === 0) return {};
  const charset = parameters.map((each) => /^\s*charset="?([^"]*)"?\s*$/.exec(each)?.[1]).find(Boolean);
  if (charset !== undefined && !charset.startsWith('utf-')) {
    throw fault('UnsupportedMediaTypeError', `unsupported charset "${charset.toUpperCase()}"`);
  }
  const text = decompress(bytes, request.headers['content-encoding'] ?? 'identity');
  if (text.length > mostBytes) throw fault('PayloadTooLargeError', 'request entity too large');
  return parse(text.toString('utf8'));
}

function decompress(bytes: Buffer, encoding: string): Buffer {
  const ways: Record<string, (bytes: Buffer) => Buffer> = {
    identity: (each) => each,
    gzip: gunzipSync,
    deflate: inflateSync,
    br: brotliDecompressSync,
  };
  const way = ways[encoding.toLowerCase()];
  if (!way) throw fault('UnsupportedMediaTypeError', `unsupported content encoding "${encoding}"`);
  return way(bytes);
}

/** The errors are in the words of the Node that Piston runs on. */
function parse(text: string): unknown {
  const first = text.trimStart()[0] ?? '';
  if (first !== '{' && first !== '[') {
    throw fault('SyntaxError', `Unexpected token ${first} in JSON at position ${text.indexOf(first)}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = /position (\d+)/.exec(String(error))?.[1];
    const place = at === undefined ? text.length : Number(at);
    throw fault(
      'SyntaxError',
      place >= text.length
        ? 'Unexpected end of JSON input'
        : `Unexpected token ${text[place] ?? ''} in JSON at position ${place}`,
    );
  }
}

function fault(name: string, message: string): BodyError {
  return new BodyError(`${name}: ${message}\n    at parse (/piston_api:89:19)\n    at /piston_api:121:18`);
}
