import type { EnvironmentRecord, EnvironmentRecords } from '../schedule/backend.ts';

/** How often a replica says that it uses an environment. */
export const stampSeconds = 600;

/** How long what the records say is believed for environments that this replica has not used. */
const freshSeconds = 30;

const keptEntries = 1000;

/** What this replica knows of environments, so that a run in one of them costs no call. */
export interface Known {
  /** The record of an environment that is there, and from here on in use. */
  find(key: string, signal: AbortSignal): Promise<EnvironmentRecord | undefined>;
  /** It is there: puts it on record. Never throws. */
  add(key: string, record: EnvironmentRecord): Promise<void>;
  /** It is not there, whatever the records say. */
  remove(key: string): void;
}

interface Entry {
  record: EnvironmentRecord;
  /** When it was last said to be in use; Date.now(). */
  stamped: number;
}

/** `onFailure` hears of records that could not be written. */
export function createKnown(
  records: EnvironmentRecords,
  onFailure: (key: string, error: unknown) => void,
): Known {
  const entries = new Map<string, Entry>();
  let listed: { at: number; records: Map<string, EnvironmentRecord> } | undefined;
  const isRecent = (time: number, seconds: number) => Math.abs(Date.now() - time) < seconds * 1000;

  function keep(key: string, record: EnvironmentRecord, stamped: number): void {
    entries.delete(key);
    entries.set(key, { record, stamped });
    const [oldest] = entries.keys();
    if (entries.size > keptEntries && oldest !== undefined) entries.delete(oldest);
  }

  async function put(key: string, record: EnvironmentRecord): Promise<void> {
    try {
      await records.put(key, record, AbortSignal.timeout(10_000));
    } catch (error) {
      // Not in use for all that the others know: the next run asks again.
      entries.delete(key);
      onFailure(key, error);
    }
  }

  return {
    async find(key, signal) {
      const entry = entries.get(key);
      // Nobody evicts what was in use so short a time ago.
      if (entry && isRecent(entry.stamped, stampSeconds)) return entry.record;
      if (!listed?.records.has(key) || !isRecent(listed.at, freshSeconds)) {
        listed = { at: Date.now(), records: (await records.all(signal)).records };
      }
      const record = listed.records.get(key);
      if (!record) return undefined;
      const used = Date.parse(record.used);
      if (isRecent(used, stampSeconds)) {
        keep(key, record, used);
        return record;
      }
      const now = { ...record, used: new Date().toISOString() };
      keep(key, now, Date.now());
      // The run does not wait for it: what says that it is unused for long enough to go still holds for minutes.
      void put(key, now);
      return now;
    },
    async add(key, record) {
      keep(key, record, Date.parse(record.used));
      await put(key, record);
    },
    remove(key) {
      entries.delete(key);
      listed?.records.delete(key);
    },
  };
}
