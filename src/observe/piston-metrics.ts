import { Gauge, type Registry } from 'prom-client';

/** Metrics of the places for runs on Piston. */
export function createPistonMetrics(register: Registry) {
  const registers = [register];
  return {
    /** Shows the queue as it is at each scrape. */
    watchPiston(queue: { running: number; waiting: number }): void {
      new Gauge({
        name: 'vivarium_piston_queue_depth',
        help: 'Requests that wait for a place on Piston.',
        registers,
        collect() {
          this.set(queue.waiting);
        },
      });
      new Gauge({
        name: 'vivarium_piston_running',
        help: 'Runs that go on on Piston now, from this server.',
        registers,
        collect() {
          this.set(queue.running);
        },
      });
    },
  };
}
