import type { WithinLimits } from './limits.ts';

/** A Piston: a service that runs programs in many languages. What it says is checked; what it may do is bounded here. */
export interface Piston {
  /** What it offers, no older than a few seconds. Throws ServiceError piston_unavailable, piston_failed. */
  runtimes(signal: AbortSignal): Promise<PistonRuntime[]>;
  /**
   * Runs a program; never queues (callers do that). `refused` is its own 400, by its message. Nobody can stop a job: this
   * waits until it is over, as long as its limits allow. Throws ServiceError piston_unavailable, piston_failed.
   */
  execute(job: PistonJob): Promise<PistonOutcome>;
  /** The same, with the job's limits lowered to what Piston allows its language. */
  executeWithinLimits<Job extends PistonJob>(job: Job): Promise<WithinLimits<Job>>;
  packages(signal: AbortSignal): Promise<PistonPackage[]>;
  /** Installs or removes a package: its answer as it is, status and body. */
  change(
    method: 'POST' | 'DELETE',
    wanted: { language: string; version: string },
    signal: AbortSignal,
  ): Promise<{ status: number; body: unknown }>;
}

export interface PistonRuntime {
  language: string;
  version: string;
  aliases: string[];
  runtime?: string;
}

export interface PistonPackage {
  language: string;
  language_version: string;
  installed: boolean;
}

/** Its request, in its words: milliseconds and bytes. */
export interface PistonJob {
  language: string;
  version: string;
  files: { name?: string; content: string; encoding?: 'utf8' | 'base64' | 'hex' }[];
  stdin?: string;
  args?: string[];
  run_timeout?: number;
  compile_timeout?: number;
  run_cpu_time?: number;
  compile_cpu_time?: number;
  run_memory_limit?: number;
  compile_memory_limit?: number;
}

export type PistonStatus = 'RE' | 'SG' | 'TO' | 'OL' | 'EL' | 'XX';

/** All keys are there, in this order. */
export interface PistonStage {
  signal: string | null;
  stdout: string;
  stderr: string;
  code: number | null;
  output: string;
  memory: number | null;
  message: string | null;
  status: PistonStatus | null;
  cpu_time: number | null;
  wall_time: number | null;
}

export type PistonOutcome =
  | { answer: { compile?: PistonStage; run: PistonStage; language: string; version: string } }
  | { refused: string };
