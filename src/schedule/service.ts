import type { Queue } from '../admission/queue.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics, RunPlace } from '../observe/metrics.ts';
import { createCapture } from '../output/capture.ts';
import { isLast } from '../output/frame.ts';
import type { ExecutionRequest } from '../request/execution.ts';
import { isPython } from '../request/language.ts';
import { isOfRequest, ServiceError } from '../result/errors.ts';
import type { Artifact, ExecutionResult } from '../result/execution-result.ts';
import type { ExecutionView } from '../result/execution-view.ts';
import { unknownWaits } from './clock.ts';
import { asCancelled, run, type RunOptions, type Stages, toResult } from './run.ts';
import type { SessionRuns } from './turn.ts';
import { stops } from './stop.ts';
import type { Backend, RunSelector, Trace } from './backend.ts';

/** What the doors may ask for. */
export interface Service {
  /** Runs a request. Throws ServiceError where its code did not run. */
  execute(request: ExecutionRequest, options: RunOptions): Promise<ExecutionResult>;
  /** A caller's run on any replica, as long as its Job is there. Throws ServiceError not_found. */
  find(executionId: string, caller: string, signal: AbortSignal): Promise<ExecutionView>;
  /** Cancels a caller's run on any replica. Throws ServiceError not_found. `asked`: another replica did, which asks all. */
  cancel(executionId: string, caller: string, signal: AbortSignal, asked?: boolean): Promise<void>;
  /** Cancels the run of this caller that a request of this key began, on any replica, if there is one. */
  cancelRequest(requestKey: string, caller: string, signal: AbortSignal, asked?: boolean): Promise<void>;
  /** Whether new runs can start now; the text says why not. */
  ready(): { ok: true } | { ok: false; why: string };
  /** Takes no new runs, lets those that go on end, cancels what is left after `seconds`. */
  drain(seconds: number): Promise<void>;
}

/** How long the record of a run in the cluster may lag behind its end: a kubelet looks at its containers each second. */
const recordLagSeconds = 3;

/** The artifacts of a run that this caller may have. */
type ArtifactsOf = (executionId: string, caller: string, signal: AbortSignal) => Promise<Artifact[]>;

interface Live {
  caller: string;
  requestKey: string | undefined;
  stop: AbortController;
  state: ExecutionView['state'];
  result: ExecutionResult | null;
}

export function createService(
  stages: Stages & {
    queues: readonly Queue[];
    backend: Backend;
    sessions: SessionRuns;
    artifactsOf: ArtifactsOf;
  },
  { metrics, log }: { metrics: Metrics; log: Logger },
): Service {
  const live = new Map<string, Live>();
  /** Runs on other servers, for callers of this one. */
  const passed = new Set<Promise<unknown>>();
  const { backend, policy, queues, sessions, artifactsOf } = stages;
  let draining = false;

  async function execute(request: ExecutionRequest, options: RunOptions): Promise<ExecutionResult> {
    const { executionId, caller = '', requestKey, signal } = options;
    const stop = new AbortController();
    if (live.has(executionId))
      throw new ServiceError('invalid_request', `There is an execution ${executionId} already.`);
    const here: Live = { caller, requestKey, stop, state: 'queued', result: null };
    live.set(executionId, here);
    try {
      const followed: RunOptions = {
        ...options,
        signal: AbortSignal.any([signal, stop.signal]),
        onEvent(event) {
          if (event.type === 'starting') here.state = 'starting';
          if (event.type === 'started') here.state = 'running';
          options.onEvent?.(event);
        },
        onLeft: () => {
          setTimeout(() => live.delete(executionId), recordLagSeconds * 1000).unref();
        },
      };
      // What is in no session is in the queue as soon as it came.
      const passOn =
        request.session_id === undefined
          ? undefined
          : await sessions.elsewhere(request, followed).catch(asCancelled(followed.signal));
      if (passOn && draining)
        throw new ServiceError('shutting_down', 'This server is shutting down and takes no new runs.');
      const result = await (passOn ? follow(passOn(followed)) : run(stages, request, followed));
      here.result = result;
      here.state = 'ended';
      // Where it was passed on, the other server counts it.
      if (!passOn) account(isPython(request.language) ? backend.name : 'piston', result);
      return result;
    } catch (error) {
      live.delete(executionId);
      const code = error instanceof ServiceError ? error.code : 'internal';
      metrics.failed(code);
      log[code === 'internal' ? 'error' : 'warn'](
        { execution_id: executionId, error: code, why: reasons(error) },
        'no run',
      );
      throw error;
    }
  }

  async function follow(running: Promise<ExecutionResult>): Promise<ExecutionResult> {
    passed.add(running);
    try {
      return await running;
    } finally {
      passed.delete(running);
    }
  }

  function account(place: RunPlace, result: ExecutionResult): void {
    metrics.ran(place, result);
    for (const stream of ['stdout', 'stderr'] as const) {
      const kept = result[`${stream}_base64`];
      const keptBytes = kept === null ? Buffer.byteLength(result[stream]) : Buffer.byteLength(kept, 'base64');
      metrics.wrote(stream, result[`${stream}_bytes`], result[`${stream}_bytes`] - keptBytes);
    }
    const { execution_id, status, exit_code, signal, stdout_bytes, stderr_bytes, truncated, timings } =
      result;
    log.info(
      { execution_id, status, exit_code, signal, stdout_bytes, stderr_bytes, truncated, timings },
      'run',
    );
  }

  function mine(executionId: string, caller: string): Live | undefined {
    const run = live.get(executionId);
    return run && isTheirs(run, caller) ? run : undefined;
  }

  /** A run of its own has a Job that says so; of one in a session only its server knows. */
  async function cancelElsewhere(by: RunSelector, signal: AbortSignal): Promise<boolean> {
    return (await backend.cancel(by, signal)) > 0 || sessions.cancelElsewhere(by, signal);
  }

  return {
    execute,
    async find(executionId, caller, signal) {
      const trace = mine(executionId, caller)?.result
        ? undefined
        : await backend.find(executionId, caller, signal);
      const here = mine(executionId, caller);
      // A run of the last second need not stand on its Job yet, and one that has just ended not in its log.
      if (trace && !here?.result && !isAbandoned(trace)) {
        return await toView(trace, policy.outputBytes, () => artifactsOf(executionId, caller, signal));
      }
      if (!here) throw notFound(executionId);
      const { state, result } = here;
      return {
        execution_id: executionId,
        state,
        stdout: result?.stdout ?? '',
        stderr: result?.stderr ?? '',
        result,
      };
    },
    async cancel(executionId, caller, signal, asked = false) {
      const here = mine(executionId, caller);
      if (here && !here.result) here.stop.abort(stops.cancelled());
      else if (asked || !(await cancelElsewhere({ executionId, caller }, signal)))
        throw notFound(executionId);
    },
    async cancelRequest(requestKey, caller, signal, asked = false) {
      const here = [...live.values()].filter(
        (run) => run.requestKey === requestKey && isTheirs(run, caller) && !run.result,
      );
      if (here.length === 0 && !asked) await cancelElsewhere({ requestKey, caller }, signal);
      for (const { stop } of here) stop.abort(stops.cancelled());
    },
    ready() {
      return draining ? { ok: false, why: 'This server is shutting down.' } : backend.ready();
    },
    async drain(seconds) {
      draining = true;
      for (const queue of queues) queue.close();
      const patience = setTimeout(() => {
        for (const { stop } of live.values()) stop.abort(stops.shutdown());
      }, seconds * 1000);
      // Each place is given back once its sandbox is away, and taking it away is bounded.
      await Promise.allSettled([...queues.map((queue) => queue.whenIdle()), ...passed]);
      clearTimeout(patience);
    },
  };
}

/** A caller's run; anybody's where the caller is empty. */
function isTheirs(run: Live, caller: string): boolean {
  return caller === '' || run.caller === caller;
}

function notFound(executionId: string): ServiceError {
  return new ServiceError('not_found', `There is no execution ${executionId}, or it ended too long ago.`);
}

/** A sandbox did not find the environment, and the run goes on in another. */
function isAbandoned({ frames }: Trace): boolean {
  return frames.some((frame) => frame.type === 'exit' && frame.cause === 'environment_missing');
}

async function toView(
  { executionId, limits, frames, lost }: Trace,
  outputBytes: number,
  artifactsOf: () => Promise<Artifact[]>,
): Promise<ExecutionView> {
  const capture = createCapture(outputBytes);
  frames.forEach((frame) => {
    capture.add(frame);
  });
  const seen = capture.read();
  const end = lost && { status: lost.cause, message: lost.message };
  // Before its last frame its files are still on their way.
  const hasEnded = end !== undefined || frames.some(isLast);
  const result = hasEnded
    ? toResult({
        executionId,
        capture: seen,
        end,
        artifacts: await artifactsOf(),
        limits,
        waits: unknownWaits,
      })
    : null;
  return {
    execution_id: executionId,
    state: result ? 'ended' : seen.started ? 'running' : 'starting',
    stdout: seen.stdout.toString('utf8'),
    stderr: seen.stderr.toString('utf8'),
    result,
  };
}

/** An error's message and those of its causes; an unexpected one's stack; nothing of what the request says. */
function reasons(error: unknown): string | undefined {
  if (!(error instanceof ServiceError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (isOfRequest(error)) return undefined;
  return error.cause instanceof Error
    ? `${error.message} [${error.cause.stack ?? error.cause.message}]`
    : error.message;
}
