import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { Agent as HttpAgent, request as httpRequest, STATUS_CODES, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { ServiceError } from '../result/errors.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { refusal, type Networks } from './addresses.ts';
import { describeFault } from './faults.ts';
import { isListed, plainHost } from './hosts.ts';

export const maxRedirects = 5;
/** How long one of a host's addresses may take before the next is tried; Node's own 250 ms fails far hosts. */
const attemptMs = 2000;

/** All addresses of a host. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

export const systemResolve: Resolve = (host) => lookup(host, { all: true });

/** Whom to connect to. */
export interface ReachOptions {
  /** Hosts that URLs may name. */
  hosts: readonly string[];
  /** Networks that are not public and may be fetched from all the same. */
  exceptions: Networks;
  /** Its reason is what is thrown when it ends the fetch. */
  signal: AbortSignal;
  resolve: Resolve;
}

export interface FetchOptions extends ReachOptions {
  /** Most bytes. */
  limit: number;
}

/**
 * The body that a URL answers with, as it comes. Every host on the way is listed, is looked up once, and has only
 * addresses that may be fetched from; the connection goes to one of these. Any port may be named. Throws
 * ServiceError (file_refused, file_unavailable, too_large) with the URL's host and no more of it: the rest may
 * hold secrets.
 */
export async function* fetchBytes(url: URL, options: FetchOptions): AsyncGenerator<Uint8Array> {
  const { response, host } = await follow(url, options);
  try {
    let size = 0;
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > options.limit) throw tooLarge(host, options.limit);
      yield chunk;
    }
  } catch (error) {
    throw explained(error, host, options.signal);
  } finally {
    response.destroy();
  }
}

/** Why a URL may not be fetched, as far as it shows by itself. */
export function refusalOfUrl(url: URL, hosts: readonly string[]): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `a URL of "${url.protocol}" is not fetched, only http and https are.`;
  if (url.username !== '' || url.password !== '')
    return `the URL of ${url.hostname} has a user name or a password in it.`;
  if (!isListed(url.hostname, hosts))
    return `${url.hostname} is not among the hosts that URLs may name here.`;
  return undefined;
}

async function follow(
  first: URL,
  options: FetchOptions,
): Promise<{ response: IncomingMessage; host: string }> {
  let url = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const host = url.hostname;
    const addresses = await addressesOf(url, options);
    const response = await ask(url, addresses, getting(url), options.signal).catch((error: unknown) => {
      throw explained(error, host, options.signal);
    });
    try {
      const next = redirectOf(response, url);
      if (!next) {
        checkAnswer(response, host, options.limit);
        return { response, host };
      }
      url = next;
    } catch (error) {
      response.destroy();
      throw error;
    }
    response.destroy();
  }
  throw unavailable(`${url.hostname} is where more than ${maxRedirects} redirects lead.`);
}

/** Looks the host up, once, and judges all that it has: one refused address refuses the host. */
export async function addressesOf(url: URL, options: ReachOptions): Promise<LookupAddress[]> {
  const { hosts, exceptions, signal } = options;
  const fault = refusalOfUrl(url, hosts);
  if (fault !== undefined) throw new ServiceError('file_refused', fault);
  const host = plainHost(url.hostname);
  const family = isIP(host);
  const addresses = family ? [{ address: host, family }] : await lookUp(host, options);
  signal.throwIfAborted();
  if (addresses.length === 0) throw unavailable(`${host} has no address.`);
  for (const { address } of addresses) {
    const why = refusal(address, exceptions);
    if (why === undefined) continue;
    // Not the address itself: a name's address may be the operator's secret.
    throw new ServiceError('file_refused', `${host} is not fetched from: it is at an address of ${why}.`);
  }
  return addresses;
}

async function lookUp(host: string, { resolve, signal }: ReachOptions): Promise<LookupAddress[]> {
  signal.throwIfAborted();
  try {
    return await unlessAborted(resolve(host), signal);
  } catch (error) {
    throw explained(error, host, signal);
  }
}

/** What is asked of a host. */
export interface Asked {
  method: 'GET' | 'PUT';
  /** With its query. */
  path: string;
  headers: Record<string, string | number>;
  body?: Uint8Array;
}

function getting(url: URL): Asked {
  const headers = { accept: '*/*', 'accept-encoding': 'identity' };
  return { method: 'GET', path: `${url.pathname}${url.search}`, headers };
}

/** An agent of its own for each request: no connection is shared, and no proxy of the environment is used. */
export function ask(
  url: URL,
  addresses: LookupAddress[],
  { method, path, headers, body }: Asked,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const host = plainHost(url.hostname);
  const options = {
    host,
    port: url.port,
    method,
    path,
    headers: { host: url.host, ...headers, 'user-agent': 'vivarium' },
    lookup: pinnedTo(addresses),
    autoSelectFamilyAttemptTimeout: attemptMs,
    signal,
  };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest({
            ...options,
            agent: new HttpsAgent(),
            rejectUnauthorized: true,
            ...(!isIP(host) && { servername: host }),
          })
        : httpRequest({ ...options, agent: new HttpAgent() });
    request.once('response', resolve);
    request.on('error', reject);
    // An answer that would change the protocol ends the connection without another word.
    request.once('close', () => {
      reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' }));
    });
    request.end(body);
  });
}

/** What a connection asks instead of DNS. */
function pinnedTo(addresses: LookupAddress[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses;
    if (all) done(null, addresses);
    else done(null, first?.address ?? '', first?.family ?? 0);
  };
}

/** Where an answer sends on to; undefined where it is no redirect. */
export function redirectOf(response: IncomingMessage, from: URL): URL | undefined {
  const { location } = response.headers;
  if (location === undefined || ![301, 302, 303, 307, 308].includes(response.statusCode ?? 0))
    return undefined;
  const next = URL.parse(location, from.href);
  if (!next) throw unavailable(`${from.hostname} redirects to what is no URL.`);
  if (from.protocol === 'https:' && next.protocol === 'http:')
    throw new ServiceError('file_refused', `${from.hostname} redirects from https to http.`);
  return next;
}

function checkAnswer(response: IncomingMessage, host: string, limit: number): void {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200)
    throw unavailable(`${host} answered with ${statusCode} (${STATUS_CODES[statusCode] ?? 'unknown'}).`);
  // Asked for none: what is encoded all the same is not the file.
  const encoding = headers['content-encoding'] ?? '';
  if (encoding !== '' && encoding.toLowerCase() !== 'identity')
    throw unavailable(`${host} sent the file with a Content-Encoding, which it was asked not to.`);
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(host, limit);
}

function tooLarge(host: string, limit: number): ServiceError {
  return new ServiceError(
    'too_large',
    `the file of ${host} is larger than the ${limit} bytes that inputBytes leaves for it.`,
  );
}

function unavailable(message: string, cause?: unknown): ServiceError {
  return new ServiceError('file_unavailable', message, { cause });
}

export function explained(error: unknown, host: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return error instanceof ServiceError ? error : unavailable(`${host} ${describeFault(error)}.`, error);
}
