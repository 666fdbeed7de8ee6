import { Counter, Gauge, type Registry } from 'prom-client';
import { type SessionEnd, sessionEnds } from '../schedule/backend.ts';

/** Metrics of the sessions of this server. */
export function createSessionMetrics(register: Registry) {
  const registers = [register];
  const ends = new Counter({
    name: 'vivarium_sessions_ended_total',
    help: 'Sessions that ended, by why.',
    labelNames: ['reason'] as const,
    registers,
  });
  for (const reason of sessionEnds) ends.inc({ reason }, 0);
  return {
    sessionEnded(reason: SessionEnd): void {
      ends.inc({ reason });
    },
    /** Shows how many there are, as `read` finds them at each scrape. */
    watchSessions(read: () => number): void {
      new Gauge({
        name: 'vivarium_sessions',
        help: 'Sessions that are open.',
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}
