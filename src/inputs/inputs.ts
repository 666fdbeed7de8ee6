import { quoted, type FileSource } from '../request/files.ts';
import { ServiceError } from '../result/errors.ts';
import { networks } from './addresses.ts';
import { fetchBytes, refusalOfUrl, systemResolve, type FetchOptions, type Resolve } from './fetch.ts';

/** Longest chunk (bytes): in base64 it fits a line that the agent takes. */
const chunkBytes = 262_144;

export interface InputSettings {
  /** Most bytes of all files of a request together. */
  inputBytes: number;
  fetchHosts: readonly string[];
  /** CIDRs. */
  fetchNetworks: readonly string[];
  /** For all URLs of a request together, from the first on; what the reader takes to read counts. */
  fetchSeconds: number;
}

/**
 * The files of a request in their order, in chunks of at most 256 KiB; an empty file is one empty chunk. Of a URL no
 * more than a few chunks are held. What shows without fetching is refused before the first chunk. Throws ServiceError
 * (file_refused, file_unavailable, too_large), or the signal's reason.
 */
export async function* readInputs(
  files: readonly FileSource[],
  settings: InputSettings,
  signal: AbortSignal,
  resolve: Resolve = systemResolve,
): AsyncGenerator<{ path: string; bytes: Uint8Array }> {
  const { inputBytes, fetchHosts: hosts, fetchSeconds } = settings;
  let room = inputBytes - files.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
  if (room < 0)
    throw new ServiceError(
      'too_large',
      `The files have more than ${inputBytes} bytes together (inputBytes).`,
    );
  for (const [index, { path, url }] of files.entries()) {
    const fault = url === undefined ? undefined : refusalOfUrl(new URL(url), hosts);
    if (fault !== undefined) throw new ServiceError('file_refused', `${nameOf(path, index)}: ${fault}`);
  }

  const common = { hosts, exceptions: networks(settings.fetchNetworks), signal, resolve };
  let deadline: number | undefined;
  for (const [index, { path, bytes, url }] of files.entries()) {
    signal.throwIfAborted();
    if (url === undefined) {
      for (const piece of pieces(bytes ?? new Uint8Array())) yield { path, bytes: piece };
      continue;
    }
    deadline ??= performance.now() + fetchSeconds * 1000;
    const before = room;
    const chunks = fetchUntil(deadline, new URL(url), { ...common, limit: room }, nameOf(path, index));
    for await (const chunk of chunks) {
      room -= chunk.length;
      for (const piece of pieces(chunk)) yield { path, bytes: piece };
    }
    if (room === before) yield { path, bytes: new Uint8Array() };
  }
}

/** `fetchBytes` with a deadline, on the clock of `performance`, and errors that say which file it is. */
async function* fetchUntil(
  deadline: number,
  url: URL,
  options: FetchOptions,
  about: string,
): AsyncGenerator<Uint8Array> {
  const overdue = new AbortController();
  const milliseconds = Math.max(0, deadline - performance.now());
  const timer = setTimeout(() => {
    const message = `${url.hostname} had not sent all of it when the time for the URLs of a request was over (fetchSeconds).`;
    overdue.abort(new ServiceError('file_unavailable', message));
  }, milliseconds);
  try {
    yield* fetchBytes(url, { ...options, signal: AbortSignal.any([options.signal, overdue.signal]) });
  } catch (error) {
    if (options.signal.aborted || !(error instanceof ServiceError)) throw error;
    throw new ServiceError(error.code, `${about}: ${error.message}`, { cause: error.cause });
  } finally {
    clearTimeout(timer);
  }
}

/** At least one, be it empty. */
function pieces(bytes: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / chunkBytes));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
}

function nameOf(path: string, index: number): string {
  return `files[${index}] ${quoted(path)}`;
}
