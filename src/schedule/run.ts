import { clampLimits, type Policy } from '../admission/policy.ts';
import type { Queue } from '../admission/queue.ts';
import { createCapture, type Capture } from '../output/capture.ts';
import type { Frame } from '../output/frame.ts';
import type { ExecutionRequest } from '../request/execution.ts';
import { buildResult, type Loss } from '../result/build.ts';
import { ServiceError } from '../result/errors.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import { type Sandbox, SandboxLost } from './backend.ts';
import type { Sandboxes } from './sandboxes.ts';
import { stopReason } from './stop.ts';

/** What a caller may follow while it waits. */
export type RunEvent = { type: 'queued' } | { type: 'starting'; execution_id: string } | Frame;

export interface RunOptions {
  executionId: string;
  /** Correlates a cancellation that reaches another replica with this run. */
  requestKey?: string;
  /** Its abort cancels the run; a Stop as its reason says why. */
  signal: AbortSignal;
  onEvent?: (event: RunEvent) => void;
  /** Called when the sandbox is away, and its Job says what became of the run. */
  onLeft?: () => void;
}

export interface Stages {
  policy: Policy & { outputBytes: number };
  queue: Queue;
  sandboxes: Sandboxes;
}

/**
 * One request through all stages: admission, a sandbox, its output, the result. Throws ServiceError where the code
 * did not run; once it runs, every end is a result.
 */
export async function run(
  { policy, queue, sandboxes }: Stages,
  request: ExecutionRequest,
  { executionId, requestKey, signal, onEvent = () => undefined, onLeft }: RunOptions,
): Promise<ExecutionResult> {
  const clock = createClock();
  const { limits, hints } = clampLimits(request, sandboxes.policyFor(request, policy));
  const capture = createCapture(policy.outputBytes);
  let sandbox: Sandbox | undefined;
  let end: Loss | undefined;

  onEvent({ type: 'queued' });
  const leave = await queue.enter(signal).catch(asCancelled(signal));
  try {
    clock.mark('queued');
    onEvent({ type: 'starting', execution_id: executionId });
    const claim = { executionId, requestKey, limits };
    sandbox = await sandboxes.take(request, claim, signal).catch(asCancelled(signal));
    const { code, stdin, args, env } = request;
    for await (const frame of sandbox.run(claim, { code, stdin, args, env }, signal)) {
      if (frame.type === 'started') clock.mark('started');
      capture.add(frame);
      onEvent(frame);
    }
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    end = lossOf(error, signal);
  } finally {
    // The answer does not wait for the sandbox to be taken away; its place does.
    void (sandbox?.dispose() ?? Promise.resolve()).finally(() => {
      leave();
      onLeft?.();
    });
  }
  return toResult(executionId, capture.read(), end, limits, clock.read(sandbox?.placedAt), hints);
}

/** The result of a run from its frames. Where they lack `exit`, `end` says how it ended. */
export function toResult(
  executionId: string,
  { stdout, stderr, exit, missingFrames }: Capture,
  end: Loss | undefined,
  limits: { seconds: number; memory_mb: number },
  timings: Omit<ExecutionResult['timings'], 'ran'>,
  hints: string[],
): ExecutionResult {
  return buildResult({
    executionId,
    stdout,
    stderr,
    // The first cause wins: a program that had ended was not cancelled.
    end: exit ?? end ?? { status: 'unknown', message: 'How the code ended is not known.' },
    limits,
    timings: { ...timings, ran: exit ? exit.ran_seconds : null },
    hints,
    missingFrames,
  });
}

function asCancelled(signal: AbortSignal) {
  return (error: unknown): never => {
    if (signal.aborted)
      throw new ServiceError('cancelled', `${stopReason(signal)} before its code ran.`, { cause: error });
    throw error;
  };
}

function lossOf(error: unknown, signal: AbortSignal): Loss {
  if (error instanceof SandboxLost) return { status: error.cause, message: error.message };
  if (signal.aborted)
    return { status: 'cancelled', message: `${stopReason(signal)}; what it had written is kept.` };
  throw error;
}

function createClock() {
  const began = performance.now();
  const marks: { queued?: number; started?: number } = {};
  const since = (from: number) => (performance.now() - from) / 1000;
  return {
    mark(name: keyof typeof marks): void {
      marks[name] = since(began);
    },
    read(placedAt: number | undefined): Omit<ExecutionResult['timings'], 'ran'> {
      const queued = marks.queued ?? since(began);
      // A sandbox that was there before the request had its place already.
      const scheduled = placedAt === undefined ? null : Math.max(0, (placedAt - began) / 1000 - queued);
      const started =
        marks.started === undefined || scheduled === null
          ? null
          : Math.max(0, marks.started - queued - scheduled);
      return { queued, scheduled, started, total: since(began) };
    },
  };
}
