import { ServiceError } from '../result/errors.ts';
import { networks } from './addresses.ts';
import { addressesOf, ask, explained, maxRedirects, redirectOf, systemResolve } from './fetch.ts';
import type { InputSettings } from './inputs.ts';

export type SendSettings = Pick<InputSettings, 'fetchHosts' | 'fetchNetworks' | 'fetchSeconds'>;

/**
 * PUTs bytes to a URL of the hosts and networks that files may be fetched from, and answers with the status. The path and
 * the query are sent as they are written: a signature may be over their very escapes. A redirect that keeps the method
 * (307, 308) is followed. Throws ServiceError (file_refused, file_unavailable), or the signal's reason.
 */
export async function putBytes(
  text: string,
  bytes: Uint8Array,
  settings: SendSettings,
  signal: AbortSignal,
): Promise<number> {
  const overdue = AbortSignal.timeout(settings.fetchSeconds * 1000);
  try {
    return await put(text, bytes, settings, AbortSignal.any([signal, overdue]));
  } catch (error) {
    if (signal.aborted || !overdue.aborted) throw error;
    const message = `The URL had not answered after ${settings.fetchSeconds} s (fetchSeconds).`;
    throw new ServiceError('file_unavailable', message, { cause: error });
  }
}

async function put(
  first: string,
  bytes: Uint8Array,
  { fetchHosts: hosts, fetchNetworks }: SendSettings,
  signal: AbortSignal,
): Promise<number> {
  const exceptions = networks(fetchNetworks);
  let text = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const { url, path } = target(text);
    const addresses = await addressesOf(url, { hosts, exceptions, signal, resolve: systemResolve });
    const asked = { method: 'PUT', path, headers: { 'content-length': bytes.length }, body: bytes } as const;
    const response = await ask(url, addresses, asked, signal).catch((error: unknown) => {
      throw explained(error, url.hostname, signal);
    });
    // Nothing of an answer but its status is wanted.
    response.destroy();
    const status = response.statusCode ?? 0;
    const next = [307, 308].includes(status) ? redirectOf(response, url) : undefined;
    if (!next) return status;
    // A full URL is kept as it is written, this one too.
    const { location = '' } = response.headers;
    text = /^https?:/i.test(location) ? location : next.href;
  }
  throw new ServiceError('file_unavailable', `More than ${maxRedirects} redirects follow each other.`);
}

/** A URL, and its path and query as they are written. */
export function target(text: string): { url: URL; path: string } {
  const [, written] = /^https?:\/\/[^/?#\\]+([^#\\]*)/i.exec(text) ?? [];
  const url = URL.parse(text);
  if (written === undefined || !url || !/^[\x21-\x5b\x5d-\x7e]+$/.test(text)) {
    const message =
      'The URL cannot be read: give it in full, of http or https, with what is no plain ASCII escaped.';
    throw new ServiceError('file_refused', message);
  }
  return { url, path: written.startsWith('/') ? written : `/${written}` };
}
