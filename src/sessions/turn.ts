import type { ExecutionRequest } from '../request/execution.ts';
import { isPython } from '../request/language.ts';
import { ServiceError } from '../result/errors.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import { type RunMode, type Sandbox, SandboxLost } from '../schedule/backend.ts';
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
  const asked = request.timeout_seconds ?? facts.limits.seconds;
  const seconds = Math.min(asked, Math.max(1, turn.secondsLeft));
  let kept: boolean | undefined;
  let lost = false;
  /** Whether it found an interpreter. */
  let found: boolean | undefined;
  let hasRun = false;

  /** The sandbox of the session as one run sees it. */
  const sandbox: Sandbox = {
    ...turn.sandbox,
    async *run(claim, program, runSignal) {
      try {
        for await (const frame of turn.sandbox.run(claim, { ...program, mode }, runSignal)) {
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
      timeout_seconds: seconds,
    },
    signal: turn.signal,
    explain(result): ExecutionResult {
      const isLost = lost || session.ending !== undefined;
      // A run that did not come to its code has ended no interpreter, but for one that is to have its own.
      const changed = kept !== undefined && (hasRun || found === true || mode === 'program');
      const words = whatIsLeft({ mode, lost: isLost, kept: !changed || kept === true, hadVariables });
      return {
        ...result,
        message: words === undefined ? result.message : `${result.message} ${words}`,
        hints: [
          ...result.hints,
          ...(mode === 'cell' && hadVariables && found === false ? [interpreterGone] : []),
          ...(seconds < asked ? [shortened(seconds)] : []),
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

function shortened(seconds: number): string {
  return `The run had ${Math.round(seconds)} s, because its session ends then, at its greatest age.`;
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
