import { clampLimits, type Policy } from '../admission/policy.ts';
import type { Queue } from '../admission/queue.ts';
import { createCapture, type Capture } from '../output/capture.ts';
import type { ExitFrame, Frame } from '../output/frame.ts';
import type { ExecutionRequest } from '../request/execution.ts';
import { normalise } from '../request/requirements.ts';
import { buildResult, type Exit, type Loss } from '../result/build.ts';
import { ServiceError } from '../result/errors.ts';
import type { Artifact, ExecutionResult } from '../result/execution-result.ts';
import {
  type Claim,
  type InputChunk,
  type Limits,
  type Program,
  type Sandbox,
  SandboxLost,
  type WorkspaceFiles,
} from './backend.ts';
import { type Clock, createClock, type Waits } from './clock.ts';
import type { Sandboxes } from './sandboxes.ts';
import { stopReason } from './stop.ts';
import type { SessionRuns } from './turn.ts';

/** What a caller may follow while it waits. */
export type RunEvent =
  | { type: 'building'; message: string }
  | { type: 'queued' }
  | { type: 'starting'; execution_id: string }
  | Frame;

export interface RunOptions {
  executionId: string;
  /** Who asks, where callers are told apart. */
  caller?: string;
  /** Correlates a cancellation that reaches another replica with this run. */
  requestKey?: string;
  /** Its abort cancels the run; a Stop as its reason says why. */
  signal: AbortSignal;
  onEvent?: (event: RunEvent) => void;
  around?: Around;
  /** Nobody takes what the program leaves in output/, or its figures: it finds no such folder, and they are not carried. */
  artifacts?: false;
  /** Another replica passed it on, which takes its session for one of this server's. */
  forwarded?: boolean;
  /** Called when the sandbox is away, and its Job says what became of the run. */
  onLeft?: () => void;
}

/** What a door does in the workspace before and after the program. With it the sandbox stays until `after` is done. */
export interface Around {
  before(files: WorkspaceFiles, signal: AbortSignal): Promise<void>;
  after(files: WorkspaceFiles, signal: AbortSignal): Promise<void>;
}

/** A folder of packages that every sandbox can see. */
export interface Environment {
  key: string;
  path: string;
  /** Packages of the image that it replaces: they must not be imported before. */
  shadows: string[];
}

/** What a run leaves behind, on its way to where it is kept. */
export interface Collector {
  /** Takes what belongs to files; resolves when it takes more. Never throws. */
  add(frame: Frame): Promise<void>;
  /** All artifacts, those included that could not be kept. */
  finish(): Promise<Artifact[]>;
}

export interface Stages {
  policy: Policy & { outputBytes: number };
  /** The queue before the places where a request can run. */
  queueFor(request: ExecutionRequest): Queue;
  sandboxes: Sandboxes;
  sessions: Pick<SessionRuns, 'turn'>;
  /** The files of a request, in chunks. Throws ServiceError where one cannot be had. */
  inputs(files: ExecutionRequest['files'], signal: AbortSignal): AsyncIterable<InputChunk>;
  environments: {
    /** The environment of these requirements; builds it where there is none. Throws ServiceError, or the signal's reason. */
    prepare(
      requirements: readonly string[],
      options: { signal: AbortSignal; onProgress: (line: string) => void; image: string },
    ): Promise<Environment>;
    /** It is on record and not there. */
    lost(key: string): Promise<void>;
  };
  collect(run: { executionId: string; caller: string; signal: AbortSignal }): Collector;
  /** What to tell a caller about a result. Never throws. */
  hints(request: ExecutionRequest, result: ExecutionResult, signal: AbortSignal): Promise<string[]>;
}

/** How one sandbox served the run. */
interface Served {
  capture: Capture;
  end: Loss | undefined;
  artifacts: Artifact[];
}

/**
 * One request through all stages: its environment, admission, a sandbox, its output, the result. Throws ServiceError where
 * the code did not run; once it runs, every end is a result.
 */
export async function run(
  stages: Stages,
  request: ExecutionRequest,
  options: RunOptions,
): Promise<ExecutionResult> {
  const clock = createClock();
  options.onEvent?.({ type: 'queued' });
  if (request.session_id === undefined) return runOnce(stages, request, options, clock);
  const turn = await stages.sessions.turn(request, options).catch(asCancelled(options.signal));
  const take = () => Promise.resolve(turn.sandbox);
  const inSession = { ...stages, sandboxes: { ...stages.sandboxes, take } };
  const signal = AbortSignal.any([options.signal, turn.signal]);
  try {
    return turn.explain(await runOnce(inSession, turn.request, { ...options, signal }, clock));
  } finally {
    turn.leave();
  }
}

async function runOnce(
  stages: Stages,
  request: ExecutionRequest,
  options: RunOptions,
  clock: Clock,
): Promise<ExecutionResult> {
  const { executionId, signal } = options;
  const { limits, hints } = clampLimits(request, stages.sandboxes.policyFor(request, stages.policy));
  // Where nothing is required, a request is in the queue as soon as it came.
  let environment =
    request.requirements.length > 0 ? await prepare(stages, request, options, clock) : undefined;
  let served = await serve(stages, request, environment, limits, options, clock);
  if (environment && served.capture.exit?.cause === 'environment_missing') {
    await stages.environments.lost(environment.key);
    environment = await prepare(stages, request, options, clock);
    served = await serve(stages, request, environment, limits, options, clock, true);
  }
  const result = toResult({ executionId, limits, waits: clock.read(), ...served });
  return { ...result, hints: [...hints, ...result.hints, ...(await stages.hints(request, result, signal))] };
}

async function prepare(
  { environments, sandboxes }: Stages,
  request: ExecutionRequest,
  { signal, onEvent }: RunOptions,
  clock: Clock,
): Promise<Environment> {
  const onProgress = (message: string) => onEvent?.({ type: 'building', message });
  const environment = await environments
    .prepare(normalise(request.requirements), { signal, onProgress, image: sandboxes.imageFor(request) })
    .catch(asCancelled(signal));
  clock.mark('environment');
  return environment;
}

/** A place, a sandbox, and what came out of it. */
async function serve(
  { policy, queueFor, sandboxes, inputs, collect }: Stages,
  request: ExecutionRequest,
  environment: Environment | undefined,
  limits: Limits,
  {
    executionId,
    caller = '',
    requestKey,
    signal,
    onEvent = () => undefined,
    onLeft,
    around,
    artifacts,
  }: RunOptions,
  clock: Clock,
  again = false,
): Promise<Served> {
  const capture = createCapture(policy.outputBytes);
  const collector = collect({ executionId, caller, signal });
  let sandbox: Sandbox | undefined;
  let end: Loss | undefined;
  let isRecord = true;

  const leave = await queueFor(request).enter(signal).catch(asCancelled(signal));
  try {
    clock.mark('queued');
    onEvent({ type: 'starting', execution_id: executionId });
    const claim: Claim = { executionId, caller, requestKey, limits };
    const bare = environment !== undefined && environment.shadows.length > 0;
    const need = { limits, claim: again ? undefined : claim, bare };
    sandbox = await sandboxes.take(request, need, signal).catch(asCancelled(signal));
    clock.placed(sandbox.placedAt);
    const { code, stdin, args, env } = request;
    const files = inputs(request.files, signal);
    const mode = around ? 'program' : 'single';
    const program: Program = {
      ...{ code, stdin, args, env, files, mode, environment: environment?.path ?? null },
      ...(artifacts === false && { artifacts }),
    };
    await around?.before(sandbox.files, signal);
    for await (const frame of sandbox.run(claim, program, signal)) {
      if (frame.type === 'started') clock.mark('started');
      if (frame.type === 'exit') isRecord = again || frame.cause !== 'environment_missing';
      if (frame.type === 'exit' && frame.cause === 'stopped') end = cancelled(signal);
      capture.add(frame);
      await collector.add(frame);
      onEvent(frame);
    }
    await around?.after(sandbox.files, signal);
  } catch (error) {
    end = lossOf(error, signal);
    if (!end) {
      await collector.finish();
      throw error;
    }
  } finally {
    // The answer does not wait for the sandbox to be taken away; its place does.
    void (sandbox?.dispose() ?? Promise.resolve()).finally(() => {
      leave();
      if (isRecord) onLeft?.();
    });
  }
  return { capture: capture.read(), end, artifacts: await collector.finish() };
}

/** The result of a run from its frames. Where they lack `exit`, `end` says how it ended. */
export function toResult({
  executionId,
  capture: { stdout, stderr, exit, missingFrames, aside },
  end,
  artifacts,
  limits,
  waits,
}: Served & {
  executionId: string;
  limits: { seconds: number; memory_mb: number };
  waits: Waits;
}): ExecutionResult {
  return buildResult({
    executionId,
    stdout,
    stderr,
    // The first cause wins: a program that had ended was not cancelled.
    end: exitOf(exit) ?? end ?? unexplained(exit),
    limits,
    timings: { ...waits, ran: exit ? exit.ran_seconds : null },
    hints: [],
    missingFrames,
    value: aside.value,
    artifacts,
    leftOut: aside.leftOut,
  });
}

function unexplained(exit: ExitFrame | undefined): Loss {
  return exit?.cause === 'stopped'
    ? { status: 'cancelled', message: 'The run was cancelled; what it had written is kept.' }
    : { status: 'unknown', message: 'How the code ended is not known.' };
}

function exitOf(exit: ExitFrame | undefined): Exit | Loss | undefined {
  if (exit?.cause === 'environment_missing')
    return { status: 'unknown', message: 'The environment of the run went away before its code ran.' };
  // Who stopped it, its own server knows.
  return exit?.cause === 'stopped' ? undefined : exit && { ...exit, cause: exit.cause };
}

/** What a wait throws before the code runs: that it was cancelled, where the signal says so. */
export function asCancelled(signal: AbortSignal) {
  return (error: unknown): never => {
    if (signal.aborted)
      throw new ServiceError('cancelled', `${stopReason(signal)} before its code ran.`, { cause: error });
    throw error;
  };
}

/** How a run was lost; undefined where the service failed. */
function lossOf(error: unknown, signal: AbortSignal): Loss | undefined {
  if (error instanceof ServiceError) return undefined;
  if (error instanceof SandboxLost) return { status: error.cause, message: error.message };
  return signal.aborted ? cancelled(signal) : undefined;
}

function cancelled(signal: AbortSignal): Loss {
  return { status: 'cancelled', message: `${stopReason(signal)}; what it had written is kept.` };
}
