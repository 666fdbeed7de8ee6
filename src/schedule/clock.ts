import type { Timings } from '../result/execution-result.ts';

/** Seconds that a run waited, by what it waited for. */
export type Waits = Omit<Timings, 'ran'>;

export interface Clock {
  mark(name: 'environment' | 'queued' | 'started'): void;
  /** When the sandbox had its place; performance.now(). */
  placed(at: number): void;
  read(): Waits;
}

/** Times a run from now on. What is marked again counts anew. */
export function createClock(): Clock {
  const began = performance.now();
  const marks: { environment?: number; queued?: number; placed?: number; started?: number } = {};
  const since = (from: number) => (performance.now() - from) / 1000;
  return {
    mark(name) {
      marks[name] = since(began);
    },
    placed(at) {
      marks.placed = (at - began) / 1000;
    },
    read() {
      const environment = marks.environment ?? null;
      const left = marks.queued ?? since(began);
      // A sandbox that was there before the request had its place already.
      const scheduled = marks.placed === undefined ? null : Math.max(0, marks.placed - left);
      const started =
        marks.started === undefined || scheduled === null
          ? null
          : Math.max(0, marks.started - left - scheduled);
      return { environment, queued: left - (environment ?? 0), scheduled, started, total: since(began) };
    },
  };
}

/** Of a run that is known from its record alone. */
export const unknownWaits: Waits = {
  environment: null,
  queued: null,
  scheduled: null,
  started: null,
  total: null,
};
