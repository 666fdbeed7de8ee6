import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { backendNames } from '../schedule/backend.ts';
import { statuses, type ExecutionResult } from '../result/execution-result.ts';
import type { ErrorCode } from '../result/errors.ts';
import { createArtifactMetrics } from './artifact-metrics.ts';
import { createEnvironmentMetrics } from './environment-metrics.ts';
import { createPistonMetrics } from './piston-metrics.ts';
import { createPoolMetrics } from './pool-metrics.ts';
import { createSessionMetrics } from './session-metrics.ts';

const phaseBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
];

/** Where runs are. */
const runPlaces = [...backendNames, 'piston'] as const;
export type RunPlace = (typeof runPlaces)[number];

/** Every metric of the server. Labels are fixed enums; units are seconds and bytes. */
export function createMetrics(queue: { running: number; waiting: number }) {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });

  const runs = new Counter({
    name: 'vivarium_runs_total',
    help: 'Runs that ended, by how.',
    labelNames: ['backend', 'status'] as const,
    registers,
  });
  for (const backend of runPlaces) for (const status of statuses) runs.inc({ backend, status }, 0);
  const errors = new Counter({
    name: 'vivarium_errors_total',
    help: 'Requests that the service could not carry out, by error code.',
    labelNames: ['code'] as const,
    registers,
  });
  const phases = new Histogram({
    name: 'vivarium_run_phase_seconds',
    help: 'Time of a run in each phase: environment, queued, scheduled, started, ran, total.',
    labelNames: ['phase'] as const,
    buckets: phaseBuckets,
    registers,
  });
  const output = new Counter({
    name: 'vivarium_output_bytes_total',
    help: 'Bytes that runs wrote, by stream.',
    labelNames: ['stream'] as const,
    registers,
  });
  const dropped = new Counter({
    name: 'vivarium_output_dropped_bytes_total',
    help: 'Bytes that runs wrote past the limit, by stream: counted, not kept.',
    labelNames: ['stream'] as const,
    registers,
  });
  const api = new Counter({
    name: 'vivarium_kubernetes_requests_total',
    help: 'Requests to the Kubernetes API, by verb and status code.',
    labelNames: ['verb', 'code'] as const,
    registers,
  });
  const podFailures = new Counter({
    name: 'vivarium_pod_failures_total',
    help: 'Sandboxes that did not start, or ended without saying how their code did, by cause.',
    labelNames: ['cause'] as const,
    registers,
  });
  const pools = createPoolMetrics(register);
  const artifacts = createArtifactMetrics(register);
  new Gauge({
    name: 'vivarium_queue_depth',
    help: 'Requests that wait for a place.',
    registers,
    collect() {
      this.set(queue.waiting);
    },
  });
  new Gauge({
    name: 'vivarium_running',
    help: 'Runs that go on now.',
    registers,
    collect() {
      this.set(queue.running);
    },
  });

  return {
    ran(backend: RunPlace, result: ExecutionResult): void {
      runs.inc({ backend, status: result.status });
      artifacts.left(result);
      for (const [phase, seconds] of Object.entries(result.timings)) {
        if (seconds !== null) phases.observe({ phase }, seconds);
      }
    },
    wrote(stream: 'stdout' | 'stderr', bytes: number, droppedBytes: number): void {
      output.inc({ stream }, bytes);
      dropped.inc({ stream }, droppedBytes);
    },
    failed(code: ErrorCode): void {
      errors.inc({ code });
    },
    apiCall(verb: string, code: string): void {
      api.inc({ verb, code });
    },
    podFailed(cause: string): void {
      podFailures.inc({ cause });
    },
    ...pools,
    artifactsRemoved: artifacts.removed,
    ...createEnvironmentMetrics(register),
    ...createSessionMetrics(register),
    ...createPistonMetrics(register),
    contentType: register.contentType,
    text: () => register.metrics(),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
