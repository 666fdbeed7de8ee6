import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Client } from './client.ts';

/** Longest silence of a watch before its connection counts as dead; bookmarks come about once a minute. */
const silenceSeconds = 90;

/** A watch that held for this long says nothing against the next one. */
const steadySeconds = 10;

export interface Listed {
  metadata?: { name?: string; resourceVersion?: string };
}

export interface Watcher<T> {
  /** Everything there is: after the start, and after each break that may have lost changes. */
  replace(items: T[]): void;
  /** One object was added or changed. */
  change(item: T): void;
  /** One object is gone; as it was last. */
  remove(item: T): void;
  /** Whether what is known is up to date. */
  live(isLive: boolean): void;
}

interface List<T> {
  metadata: { resourceVersion: string };
  items: T[];
}

interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T & { code?: number; reason?: string; message?: string };
}

/** Lists, then watches, and lists again after any break, until the signal is aborted. */
export async function listAndWatch<T extends Listed>(
  client: Client,
  path: string,
  query: Record<string, string>,
  watcher: Watcher<T>,
  signal: AbortSignal,
): Promise<void> {
  let pause = 0;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      const list = await client.json<List<T>>(path, { query, signal });
      watcher.replace(list.items);
      watcher.live(true);
      await follow(
        client,
        path,
        { ...query, resourceVersion: list.metadata.resourceVersion },
        watcher,
        signal,
      );
    } catch {
      watcher.live(false);
    }
    // What held for a while is opened again at once; what ends soon, ever more seldom.
    const held = performance.now() - began > steadySeconds * 1000;
    pause = held ? 0 : Math.min(Math.max(pause * 2, 100), 5000);
    await sleep(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
  }
}

/** Watches on from a version, over as many connections as it takes, until the server forgets that version. */
async function follow<T extends Listed>(
  client: Client,
  path: string,
  query: Record<string, string> & { resourceVersion: string },
  watcher: Watcher<T>,
  signal: AbortSignal,
): Promise<void> {
  let version = query.resourceVersion;
  for (;;) {
    const body = await client.stream(path, {
      query: { ...query, resourceVersion: version, watch: 'true', allowWatchBookmarks: 'true' },
      signal,
    });
    const before = version;
    for await (const event of events<T>(body)) {
      if (event.type === 'ERROR') {
        if (event.object.code === 410) return;
        throw new ApiError(event.object.code ?? 500, event.object.reason ?? '', event.object.message ?? '');
      }
      version = event.object.metadata?.resourceVersion ?? version;
      if (event.type === 'DELETED') watcher.remove(event.object);
      else if (event.type !== 'BOOKMARK') watcher.change(event.object);
    }
    // A server that ends each watch at once must not be asked again without a pause, which comes before the next list.
    if (version === before) return;
  }
}

/** A line that does not parse ends the connection, and so leads to a new list: nothing is missed. */
async function* events<T>(body: Readable): AsyncGenerator<WatchEvent<T>> {
  const silence = setTimeout(() => body.destroy(new Error('The watch fell silent.')), silenceSeconds * 1000);
  // Stays: a body that is destroyed early reports an error when nobody reads it any more.
  const lines = createInterface({ input: body, crlfDelay: Infinity }).on('error', () => undefined);
  try {
    for await (const line of lines) {
      silence.refresh();
      yield JSON.parse(line) as WatchEvent<T>;
    }
  } finally {
    clearTimeout(silence);
    body.destroy();
  }
}
