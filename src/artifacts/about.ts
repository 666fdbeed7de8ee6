import { readAll, StoreError, type Blobs } from './blobs.ts';
import { aboutKey } from './id.ts';

/** What is written about a file is less than this; its path has 4 KiB at most. */
const aboutBytes = 65_536;
/** Reads at one time of a folder. */
const readsAtOnce = 8;
/** How long a failed file's data may take to be removed. */
const cleaningMs = 5000;

/** What is kept about the file of a key, beside its data. Undefined where there is nothing. */
export async function readAbout(blobs: Blobs, key: string, signal: AbortSignal): Promise<unknown> {
  const stream = await blobs.read(aboutKey(key), { start: 0, end: aboutBytes - 1 }, signal);
  if (!stream) return undefined;
  const text = (await readAll(stream, signal)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StoreError('what it has kept about a file cannot be read', { cause });
  }
}

/** The same of all files of a folder. */
export async function readAbouts(blobs: Blobs, folder: string, signal: AbortSignal): Promise<unknown[]> {
  const ends = aboutKey('');
  const keys: string[] = [];
  for await (const { key } of blobs.list(`${folder}/`, signal)) {
    if (key.endsWith(ends)) keys.push(key.slice(0, -ends.length));
  }
  const found: unknown[] = [];
  while (keys.length > 0) {
    const some = keys.splice(0, readsAtOnce);
    found.push(...(await Promise.all(some.map((key) => readAbout(blobs, key, signal)))));
  }
  return found.filter((each) => each !== undefined);
}

/** Writes data, then what is known about it by then; neither where it throws. */
export async function writeWithAbout<About extends object>(
  blobs: Blobs,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
  describe: () => About,
  signal: AbortSignal,
): Promise<About> {
  await blobs.write(key, bytes, signal);
  const about = describe();
  try {
    await blobs.write(aboutKey(key), once(Buffer.from(JSON.stringify(about))), signal);
    return about;
  } catch (error) {
    // Data alone costs space only, and only until the next sweep.
    await blobs.remove([key], AbortSignal.timeout(cleaningMs)).catch(() => undefined);
    throw error;
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk as a source of chunks
export async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
