import type { Received, Workload } from '../workloads.ts';

export const armNames = ['warm', 'rest', 'cold', 'kubectl', 'client-node', 'exec', 'local', 'fork'] as const;
export type ArmName = (typeof armNames)[number];

/** Seconds since the request was sent, and what the server says of its phases, by name. */
export type Marks = Record<string, number>;

/** One answer. */
export interface Taken extends Received {
  /** From the request being sent to all output and the exit code being there. */
  seconds: number;
  marks: Marks;
}

/** One way to run a program. What it leaves behind is gone when `run` returns, outside of what it clocked. */
export interface Arm {
  name: ArmName;
  run(workload: Workload, signal: AbortSignal): Promise<Taken>;
}

/** Seconds since now. */
export function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
}
