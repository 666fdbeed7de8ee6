import type { ServerResponse } from 'node:http';
import { selected, type Change, type Store } from './store.ts';

interface OpenWatch {
  resource: string;
  res: ServerResponse;
}

/** The watches that are open. */
export class Watches {
  readonly #open = new Set<OpenWatch>();

  /** Sends the changes since the version, and those that come. */
  serve(resource: string, store: Store, query: URLSearchParams, res: ServerResponse): void {
    const watch = { resource, res };
    const seen = new Set<string>();
    const since = Number(query.get('resourceVersion') ?? 0);
    const send = (change: Change) => {
      if (change.version > since && selected(change.object, query)) {
        seen.add(change.object.metadata.name);
        res.write(`${JSON.stringify({ type: change.type, object: change.object })}\n`);
      }
    };
    res.writeHead(200, { 'content-type': 'application/json' });
    res.flushHeaders();
    store.changes.forEach(send);
    store.listeners.add(send);
    this.#open.add(watch);
    res.on('close', () => {
      store.listeners.delete(send);
      this.#open.delete(watch);
    });
  }

  count(resource: string): number {
    return this.#of(resource).length;
  }

  /** Says that the version is forgotten, as a server does whose history is short. */
  expire(resource: string): void {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    for (const { res } of this.#of(resource)) res.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
  }

  /** Breaks the connections in the middle of a line. */
  cut(resource: string): void {
    for (const { res } of this.#of(resource)) {
      res.write('{"type":"MODIFIED","object":{"meta', () => res.destroy());
    }
  }

  #of(resource: string): OpenWatch[] {
    return [...this.#open].filter((watch) => watch.resource === resource);
  }
}
