import { ServiceError } from '../result/errors.ts';
import type { RunMode, SessionEnd } from '../schedule/backend.ts';

const reasons: Record<SessionEnd, string> = {
  ended: 'it was ended by its caller',
  idle: 'it was not used for its idle time',
  too_old: 'it reached its greatest age',
  server_stopped: 'the server that held it was stopped or restarted',
  sandbox_lost: 'its sandbox was lost',
};

export function sessionEnded(why: SessionEnd): ServiceError {
  return new ServiceError('session_ended', `The session has ended, because ${reasons[why]}.`);
}

/** What a handle gets that is nobody's, or another caller's. It is a secret and not repeated. */
export function noSession(): ServiceError {
  return new ServiceError(
    'not_found',
    'There is no such session: its session_id is wrong, or it ended some time ago, or its server did.',
  );
}

/** What a run is told that began with a new interpreter, where the last one had left its own, or was cancelled. */
export const interpreterGone =
  'The interpreter of the session had ended, with its last run or since: this run began with a new one. The files stayed, the variables and imports were gone.';

/** How a run in a session left that. */
export interface Leaving {
  mode: RunMode;
  /** The sandbox is lost. */
  lost: boolean;
  /** Its interpreter goes on. */
  kept: boolean;
  /** There were variables before the run. */
  hadVariables: boolean;
}

/** What a run's caller has to know of its session; undefined where all is as it was. */
export function whatIsLeft({ mode, lost, kept, hadVariables }: Leaving): string | undefined {
  if (lost) return 'The session has ended with it: its variables and files are gone, so create a new one.';
  if (kept) return undefined;
  if (mode === 'cell')
    return 'The interpreter of the session ended with it: the files stay, the variables are gone.';
  return hadVariables ? 'The files of the session stay; its variables are gone.' : undefined;
}
