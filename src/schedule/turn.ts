import type { ExecutionRequest } from '../request/execution.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import type { RunSelector, Sandbox } from './backend.ts';
import type { RunOptions } from './run.ts';

/** A run's turn in its session. */
export interface Turn {
  /** The session's, for this run: its disposal leaves it where it is. */
  sandbox: Sandbox;
  /** With the requirements and limits of the session. */
  request: ExecutionRequest;
  /** Aborts, with a Stop, where the session is ended meanwhile. */
  signal: AbortSignal;
  /** The result, with what its caller has to know of the session. */
  explain(result: ExecutionResult): ExecutionResult;
  leave(): void;
}

type RunCall = Pick<RunOptions, 'caller' | 'signal' | 'forwarded'>;

/** The sessions that requests name, wherever they live. */
export interface SessionRuns {
  /** Carries out a run whose session is another replica's; undefined where it is this one's. Throws ServiceError. */
  elsewhere(
    request: ExecutionRequest,
    call: RunCall,
  ): Promise<((options: RunOptions) => Promise<ExecutionResult>) | undefined>;
  /** Cancels what is a run in a session of another replica, which no Job names. Whether there was one. */
  cancelElsewhere(by: RunSelector, signal: AbortSignal): Promise<boolean>;
  /** Waits for a turn in a session of this server. Throws ServiceError, and the signal's reason. */
  turn(request: ExecutionRequest, call: RunCall): Promise<Turn>;
}
