import { Counter, Histogram, type Registry } from 'prom-client';

const buckets = [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];

/** The metrics of environments and their builds. */
export function createEnvironmentMetrics(register: Registry) {
  const registers = [register];
  const builds = new Counter({
    name: 'vivarium_environment_builds_total',
    help: 'Builds of environments that ended: built, existing (it was there already), or an error code.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'vivarium_environment_build_seconds',
    help: 'Time of builds, those that failed included.',
    buckets,
    registers,
  });
  const evicted = new Counter({
    name: 'vivarium_environments_evicted_total',
    help: 'Environments that made way for others, or that nobody had used for long.',
    registers,
  });
  return {
    environmentBuilt(outcome: string, took: number): void {
      builds.inc({ outcome });
      seconds.observe(took);
    },
    environmentsEvicted(count: number): void {
      evicted.inc(count);
    },
  };
}
