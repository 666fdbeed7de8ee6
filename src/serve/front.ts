import { hostHeaderValidation, originValidation } from '@modelcontextprotocol/express';
import express, { type Express } from 'express';

export interface FrontSettings {
  allowedHosts: string[];
}

/** JSON may write one byte as six ("\u0000"); of files, which may come as base64, text with line ends is allowed for. */
const escapedBytes = 6;
const escapedFileBytes = 2;
const otherBytes = 1_048_576;

/** The largest body that a door takes. */
export function bodyBytes(sizes: {
  maxCodeBytes: number;
  maxStdinBytes: number;
  inputBytes: number;
}): number {
  return (
    (sizes.maxCodeBytes + sizes.maxStdinBytes) * escapedBytes +
    sizes.inputBytes * escapedFileBytes +
    otherBytes
  );
}

/** An app that answers requests to the allowed hosts alone. With `strict` a path with a / at its end is another path. */
export function guarded({ allowedHosts }: FrontSettings, { strict = false } = {}): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.set('strict routing', strict); // before the first use, which makes the router
  if (!allowedHosts.includes('*')) {
    // Against DNS rebinding: a web page must not reach a server on its reader's machine.
    app.use(hostHeaderValidation(allowedHosts), originValidation(allowedHosts));
  }
  return app;
}
