import type { Config } from '../config.ts';
import { isLast } from '../output/frame.ts';
import { type Sandbox, SandboxLost } from '../schedule/backend.ts';
import type { Attachment } from './attach.ts';
import { claimRecord, type ClaimRecord, type Recorded } from './claim-record.ts';
import { ApiError, UnreachableError } from './client.ts';
import { agentLimits, type Source } from './conversation.ts';
import type { Observer } from './observer.ts';
import { readLog } from './record.ts';
import { createTalk } from './talk.ts';

/** How long a pod's status may lag behind the end of its container. */
const statusLagSeconds = 3;

export interface PodSandbox extends Recorded {
  /** Name of its Job. */
  job: string;
  /** performance.now(). */
  placedAt: number;
  /** Whether its Job names its run already. */
  isRecorded: boolean;
  config: Config;
  observer: Observer;
  attachment: Attachment;
  podPath: string;
  onLost(cause: string): void;
  /** Deletes the Job. */
  remove(): Promise<void>;
  /** Leaves the Job to its own end. */
  forget(): void;
}

/** A pod whose agent waits for its program. */
export function podSandbox(pod: PodSandbox): Sandbox {
  const { config, attachment } = pod;
  const talk = createTalk({
    send: (bytes, signal) => attachment.send(bytes, signal),
    stdout: (signal) => attachment.stdout(signal),
    sources: (signal) => sources(pod, signal),
    whyEnded: (stray, signal) => whyEnded(pod, stray, signal),
    gone: attachment.ended,
    end: () => {
      attachment.close();
    },
  });
  let record: ClaimRecord | undefined;
  let ended = false;
  let isRecord = true;

  return {
    placedAt: pod.placedAt,
    gone: attachment.ended,
    files: talk.files,
    async preload(modules, signal) {
      try {
        return await talk.preload(modules, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw (await ending(pod.observer, pod.job, signal)) ?? error;
      }
    },
    async *run(claim, program, signal) {
      if (!pod.isRecorded) record = claimRecord(pod, claim);
      const limits = agentLimits(claim.limits, config, null, program);
      try {
        yield* talk.run(claim, program, limits, signal, (frame) => {
          if (frame.type === 'exit') isRecord = frame.cause !== 'environment_missing';
          ended = isLast(frame);
        });
      } catch (error) {
        if (error instanceof SandboxLost) pod.onLost(error.cause);
        throw error;
      }
    },
    async dispose() {
      attachment.close();
      // After its last frame, or at the end of its stdin, the agent ends, the Job completes, and its TTL takes it away.
      if (ended && isRecord) {
        await record?.finish();
        pod.forget();
      } else {
        record?.cancel();
        await pod.remove();
      }
    },
  };
}

/** The attach first; then, as long as the last frame has not come, the log from its start. */
function sources(pod: PodSandbox, signal: AbortSignal): () => Promise<Source | undefined> {
  let asked = 0;
  let last = false;
  return async () => {
    asked += 1;
    if (asked === 1) return { bytes: pod.attachment.stdout(signal), fromStart: false };
    if (last) return undefined;
    // A log that is read after the end is known holds all there will ever be.
    if (asked > 2) last = (await ending(pod.observer, pod.job, signal)) !== undefined;
    return { bytes: log(pod, !last, signal), fromStart: true };
  };
}

async function* log(pod: PodSandbox, follow: boolean, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  try {
    yield* readLog(pod.client, pod.podPath, { follow }, signal);
  } catch (error) {
    signal.throwIfAborted();
    // A stream that breaks is read again from its start; a pod that is gone has no more to say.
    if (!isBroken(error)) throw error;
  }
}

function isBroken(error: unknown): boolean {
  if (error instanceof ApiError || error instanceof UnreachableError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('UND_ERR') || ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code);
}

/** How the pod ended, once its status says so; undefined if it does not in time. */
export async function ending(
  observer: Observer,
  job: string,
  signal: AbortSignal,
): Promise<SandboxLost | undefined> {
  const lag = AbortSignal.any([signal, AbortSignal.timeout(statusLagSeconds * 1000)]);
  try {
    return await observer.when(
      job,
      ({ phase }) => (phase.state === 'ended' ? new SandboxLost(phase.cause, phase.message) : undefined),
      lag,
    );
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function whyEnded(
  pod: PodSandbox,
  stray: string | undefined,
  signal: AbortSignal,
): Promise<SandboxLost> {
  const lost =
    (await ending(pod.observer, pod.job, signal)) ??
    new SandboxLost('unknown', 'The sandbox ended and did not say why.');
  if (lost.cause !== 'unknown' || stray === undefined) return lost;
  return new SandboxLost('unknown', `${lost.message} Its last words: ${stray}`);
}
