import { setTimeout as sleep } from 'node:timers/promises';
import { createCapture } from '../output/capture.ts';
import { frameBytes, type Frame } from '../output/frame.ts';
import { ServiceError } from '../result/errors.ts';
import {
  AlreadyThere,
  builds,
  type Backend,
  type Claim,
  type Kind,
  SandboxLost,
} from '../schedule/backend.ts';
import { outcomeOf, type BuildLimits, type Built } from './outcome.ts';
import { keptBytes, runProgram } from './program.ts';
import { buildProgram } from './programs.ts';

export interface BuildSettings extends BuildLimits {
  maxCpu: number;
  startTimeoutSeconds: number;
}

/** What the builder is told; builder/request.py has the meaning of each. */
export interface BuildRequest {
  root: string;
  key: string;
  requirements: readonly string[];
  index: string;
  denied: readonly string[];
  evict: readonly string[];
  recorded: readonly string[];
  max_bytes: number;
  seconds: number;
}

type BuildBackend = Pick<Backend, 'open' | 'find' | 'cancel'>;

const pauseMs = 1000;

/**
 * Builds an environment, or follows the build of it that goes on on another replica. An ended build that is still on record
 * counts only where it succeeded and its environment is not known to be gone (`isLost`). Throws ServiceError, and the
 * signal's reason.
 */
export async function build(
  backend: BuildBackend,
  request: BuildRequest,
  image: Pick<Kind, 'image' | 'runtimeClass'>,
  isLost: boolean,
  settings: BuildSettings,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Built> {
  const { buildSeconds, buildMemoryMb, startTimeoutSeconds } = settings;
  const cpu = Math.min(1, settings.maxCpu);
  const limits = { seconds: buildSeconds, cpu, memory_mb: buildMemoryMb };
  const claim: Claim = { executionId: request.key, caller: builds, requestKey: undefined, limits };
  const kind = { ...image, cpu, memory_mb: buildMemoryMb };
  const spec = { kind, pool: undefined, claim, lifeSeconds: buildSeconds, build: true };
  const program = { code: buildProgram(), stdin: JSON.stringify(request) };
  // Somebody else's build to its end, and then one of our own.
  const deadline = performance.now() + 2 * (startTimeoutSeconds + buildSeconds) * 1000;

  for (let pause = 0; ; pause = pauseMs) {
    try {
      const onFrame = progress(say);
      const capture = await runProgram(backend, spec, program, signal, onFrame);
      return outcomeOf(capture, undefined, settings);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SandboxLost) {
        return outcomeOf({ exit: undefined, stdout: empty, stderr: empty }, error, settings);
      }
      if (!(error instanceof AlreadyThere)) throw error;
    }
    const followed = await follow(backend, request.key, isLost, settings, deadline, signal, say);
    if (followed) return followed;
    if (performance.now() > deadline) {
      throw new ServiceError(
        'build_timeout',
        'The build of this environment on another replica did not end.',
      );
    }
    // What was cancelled or has gone makes room at once, most times.
    await sleep(pause, undefined, { signal });
  }
}

const empty = Buffer.alloc(0);

/** What came of a build that goes on elsewhere; undefined where it left nothing, and another has to be begun. */
async function follow(
  backend: BuildBackend,
  key: string,
  isLost: boolean,
  settings: BuildSettings,
  deadline: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Built | undefined> {
  const onFrame = progress(say);
  let seen = 0;
  let isOld: boolean | undefined;
  for (let pause = 0; performance.now() < deadline; pause = pauseMs) {
    if (pause > 0) await sleep(pause, undefined, { signal });
    const trace = await unlessSilent(() => backend.find(key, builds, signal), signal);
    if (trace === 'silent') continue;
    if (!trace) return undefined;
    const capture = createCapture(keptBytes);
    for (const frame of trace.frames) capture.add(frame);
    const { exit, stdout, stderr } = capture.read();
    trace.frames.slice(seen).forEach(onFrame);
    seen = trace.frames.length;
    const hasEnded = exit !== undefined || trace.lost !== undefined;
    isOld ??= hasEnded && (isLost || exit?.exit_code !== 0);
    if (!hasEnded) continue;
    if (!isOld && trace.lost?.cause !== 'cancelled') {
      return { ...outcomeOf({ exit, stdout, stderr }, trace.lost, settings), existing: true };
    }
    const cancelled = await unlessSilent(
      () => backend.cancel({ executionId: key, caller: builds }, signal),
      signal,
    );
    if (cancelled !== 'silent') return undefined;
  }
  return undefined;
}

/** A call's answer; `silent` where the cluster gives none now. Throws what else the call does, and the signal's reason. */
async function unlessSilent<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T | 'silent'> {
  try {
    return await call();
  } catch (error) {
    signal.throwIfAborted();
    if (!isSilence(error)) throw error;
    return 'silent';
  }
}

/** These calls throw what the client of a backend does, which is known by its name and status. */
function isSilence(error: unknown): boolean {
  if (error instanceof ServiceError) return error.code === 'cluster_unreachable';
  if (!(error instanceof Error)) return false;
  const status = 'status' in error ? Number(error.status) : 0;
  return error.name === 'UnreachableError' || status === 429 || status >= 500;
}

/** Says each line that a build writes on stderr. */
function progress(say: (line: string) => void): (frame: Frame) => void {
  const decoder = new TextDecoder();
  let rest = '';
  let failing = false;
  return (frame) => {
    if (frame.type !== 'stderr') return;
    const lines = (rest + decoder.decode(frameBytes(frame), { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(-1000);
    for (const line of lines) {
      // After an empty line comes why it failed, which is no progress.
      failing ||= line === '';
      if (!failing) say(line.slice(0, 200));
    }
  };
}
