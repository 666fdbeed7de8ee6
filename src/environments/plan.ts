import type { EnvironmentRecord } from '../schedule/backend.ts';

export interface Room {
  /** Most bytes of all environments. */
  bytes: number;
  /** Bytes that a build may take. */
  reserved: number;
  /** Most characters of all records: they are one object of at most 1 MiB. */
  recordCharacters: number;
  /** How long an environment is kept that nobody uses. */
  maxAgeSeconds: number;
  /** How long after its last use an environment may still be in use. */
  inUseSeconds: number;
}

/**
 * Which environments make way for another: those that nobody has used for long, then those unused longest, until there is
 * room. None that may be in use, so that there may be too little. Pure.
 */
export function planEvictions(
  records: ReadonlyMap<string, EnvironmentRecord>,
  now: number,
  room: Room,
): string[] {
  const unusedSeconds = ({ used }: EnvironmentRecord) => (now - Date.parse(used)) / 1000;
  let bytes = room.reserved;
  let characters = 0;
  for (const record of records.values()) {
    bytes += record.bytes;
    characters += JSON.stringify(record).length;
  }
  const evicted: string[] = [];
  const oldestFirst = [...records].sort(([, a], [, b]) => unusedSeconds(b) - unusedSeconds(a));
  for (const [key, record] of oldestFirst) {
    const unused = unusedSeconds(record);
    const full = bytes > room.bytes || characters > room.recordCharacters;
    if (unused <= room.inUseSeconds || (!full && unused <= room.maxAgeSeconds)) break;
    evicted.push(key);
    bytes -= record.bytes;
    characters -= JSON.stringify(record).length;
  }
  return evicted;
}
