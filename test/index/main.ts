/**
 * Serves the index until it is told to end: `node test/index/main.ts [--host A] [--port N] [--user U --password P] [--tls]`.
 * Prints its URL, and with --tls the certificate of its authority.
 */
import { parseArgs } from 'node:util';
import { startIndex } from './server.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { host: text, port: text, user: text, password: text, tls: { type: 'boolean' } },
});
const { host, port, user, password = '', tls } = values;

const index = await startIndex({
  ...(host !== undefined && { host }),
  ...(port !== undefined && { port: Number(port) }),
  ...(user !== undefined && { credentials: { user, password } }),
  ...(tls !== undefined && { tls }),
});
console.log(index.url);
if (index.ca !== undefined) console.log(index.ca);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void index.close());
