import type { ExecutionRequest } from '../request/execution.ts';
import { isPython } from '../request/language.ts';
import { ServiceError } from '../result/errors.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import { explain } from '../result/message.ts';
import { type Limits, type RunMode, type Sandbox, SandboxLost } from '../schedule/backend.ts';
import type { Turn } from '../schedule/turn.ts';
import type { Session } from './session.ts';
import { interpreterGone, whatIsLeft } from './words.ts';

/** What a request may not ask of a session. Throws ServiceError invalid_request. */
export function checkRequest({
  language,
  requirements,
  fresh_interpreter,
  limits,
  pool,
}: ExecutionRequest): void {
  const given = [
    // An interpreter that has begun finds packages where it found them then.
    requirements.length > 0 && !fresh_interpreter && 'requirements',
    Object.values(limits).some((limit) => limit !== undefined) && 'limits',
    pool !== undefined && 'pool',
  ].filter((name) => name !== false);
  if (given.length > 0) {
    throw new ServiceError(
      'invalid_request',
      `${given.join(', ')}: said once, when a session is created (create_session); leave this out beside session_id.`,
    );
  }
  if (!isPython(language))
    throw new ServiceError('invalid_request', `language: a session runs Python, and not ${language}.`);
}

/** The turn of a run in a session of this server. Throws as the session's own turn does. */
export async function takeTurn(
  session: Session,
  request: ExecutionRequest,
  signal: AbortSignal,
): Promise<Turn> {
  const { facts } = session;
  const turn = await session.turn(signal);
  const hadVariables = session.hasVariables;
  const mode: RunMode = request.fresh_interpreter ? 'program' : 'cell';
  /** Its limits, where they are lower than it was to have. */
  let lowered: Limits | undefined;
  let kept: boolean | undefined;
  let lost = false;
  /** Whether it found an interpreter. */
  let found: boolean | undefined;
  let hasRun = false;

  /** The sandbox of the session as one run sees it. */
  const sandbox: Sandbox = {
    ...turn.sandbox,
    async *run(claim, program, runSignal) {
      // A build and a place may have been waited for since its turn.
      const seconds = Math.max(1, Math.floor(turn.secondsLeft));
      if (seconds < claim.limits.seconds) lowered = { ...claim.limits, seconds };
      const held = { ...claim, limits: lowered ?? claim.limits };
      try {
        for await (const frame of turn.sandbox.run(held, { ...program, mode }, runSignal)) {
          if (frame.type === 'started') found = frame.kept;
          if (frame.type === 'exit') {
            kept = frame.kept;
            hasRun = frame.ran_seconds > 0;
          }
          yield frame;
        }
      } catch (error) {
        // It may have been the end of its inputs, before it began.
        lost = !(error instanceof ServiceError) && error !== runSignal.reason;
        throw error;
      }
    },
    dispose: () => Promise.resolve(),
  };

  return {
    sandbox,
    request: {
      ...request,
      requirements: [...facts.requirements, ...request.requirements],
      limits: { cpu: facts.limits.cpu, memory_mb: facts.limits.memory_mb },
      timeout_seconds: request.timeout_seconds ?? facts.limits.seconds,
    },
    signal: turn.signal,
    explain(result): ExecutionResult {
      const isLost = lost || session.ending !== undefined;
      // A run that did not come to its code has ended no interpreter, but for one that is to have its own.
      const changed = kept !== undefined && (hasRun || found === true || mode === 'program');
      const words = whatIsLeft({ mode, lost: isLost, kept: !changed || kept === true, hadVariables });
      const message = lowered ? withLimits(result, lowered) : result.message;
      return {
        ...result,
        message: words === undefined ? message : `${message} ${words}`,
        hints: [
          ...result.hints,
          ...(mode === 'cell' && hadVariables && found === false ? [interpreterGone] : []),
          ...(lowered ? [shortened(lowered.seconds)] : []),
        ],
      };
    },
    leave() {
      // Who cancelled the run may have gone and not heard that they are lost: the next one says it.
      const isHeard = kept !== false || !signal.aborted;
      if (isHeard) session.hasVariables = kept ?? hadVariables;
      if (lost) void session.end('sandbox_lost');
      turn.leave();
    },
  };
}

/** The message of a run that had other limits than it was to have. */
function withLimits({ status, message }: ExecutionResult, limits: Limits): string {
  return status === 'timed_out' ? explain({ status, exit: undefined, loss: undefined, limits }) : message;
}

function shortened(seconds: number): string {
  return `The run had ${seconds} s, because its session ends then, at its greatest age.`;
}

/** What SandboxLost says in a call about files. */
export function asServiceError(error: unknown): unknown {
  if (!(error instanceof SandboxLost)) return error;
  return new ServiceError(
    'session_ended',
    `The session has ended, because its sandbox was lost: ${error.message}`,
    {
      cause: error,
    },
  );
}
