import { randomUUID } from 'node:crypto';

export interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: { uid: string }[];
    deletionTimestamp?: string;
  };
  [field: string]: unknown;
}

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Stored;
  version: number;
}

let version = 1000;

/** The objects of one resource, with all their changes: what an API server keeps. */
export class Store {
  readonly objects = new Map<string, Stored>();
  readonly changes: Change[] = [];
  readonly listeners = new Set<(change: Change) => void>();

  get version(): string {
    return String(version);
  }

  create(object: Stored): Stored {
    const metadata = { ...object.metadata, uid: object.metadata.uid ?? randomUUID() };
    return this.#keep('ADDED', { ...object, metadata });
  }

  update(object: Stored): Stored {
    return this.#keep('MODIFIED', object);
  }

  delete(name: string): Stored | undefined {
    const object = this.objects.get(name);
    if (!object) return undefined;
    const last = this.#keep('DELETED', object);
    this.objects.delete(name);
    return last;
  }

  #keep(type: Change['type'], object: Stored): Stored {
    version += 1;
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.objects.set(kept.metadata.name, kept);
    const change = { type, object: kept, version };
    this.changes.push(change);
    for (const listener of this.listeners) listener(change);
    return kept;
  }
}

/** A JSON merge patch (RFC 7386). */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether an object is one that a query's selectors mean. */
export function selected(object: Stored, query: URLSearchParams): boolean {
  // `name!=value` splits into `name!` and the value, and means objects without the label, too.
  const isLabelled = terms(query.get('labelSelector')).every(([name, value]) =>
    value === undefined
      ? object.metadata.labels?.[name] !== undefined
      : name.endsWith('!')
        ? object.metadata.labels?.[name.slice(0, -1)] !== value
        : object.metadata.labels?.[name] === value,
  );
  const isFielded = terms(query.get('fieldSelector')).every(([path, value]) => {
    const found = path
      .split('.')
      .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], object);
    return found === value;
  });
  return isLabelled && isFielded;
}

function terms(selector: string | null): [string, string | undefined][] {
  if (selector === null || selector === '') return [];
  return selector.split(',').map((term) => {
    const [name = '', value] = term.split('=');
    return [name, value];
  });
}
