import type { ExecutionRequest } from '../request/execution.ts';
import { ServiceError } from '../result/errors.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import type { WorkspaceFiles } from '../schedule/backend.ts';
import { asCancelled, type RunEvent, type RunOptions } from '../schedule/run.ts';
import { stopReason } from '../schedule/stop.ts';
import type { Peer } from './peer.ts';
import type { SessionCall } from './sessions.ts';

/** How long the server of a session may take to end a run. */
const cancelMs = 30_000;

/** A session of another server. */
export interface Elsewhere {
  peer: Pick<Peer, 'execute' | 'cancel'>;
  workspace: WorkspaceFiles;
  /** Waits as long as the session may be there. */
  whileThere<T>(call: SessionCall, act: (call: SessionCall) => Promise<T>): Promise<T>;
}

/** A run on the server that has its session. */
export async function pass(
  { peer, workspace, whileThere }: Elsewhere,
  request: ExecutionRequest,
  options: RunOptions,
): Promise<ExecutionResult> {
  const { executionId, requestKey, caller = '', around, signal, onEvent, onLeft } = options;
  const gone = new AbortController();
  const call = { caller, signal: gone.signal };
  const seen = new Set<RunEvent['type']>();
  let patience: NodeJS.Timeout | undefined;
  const see = (event: RunEvent) => {
    seen.add(event.type);
    onEvent?.(event);
  };
  const leave = () => {
    gone.abort(signal.reason);
  };
  // The other server is told, and answers with what the run had come to; where it does not, nobody waits for it.
  const cancel = () => {
    patience = setTimeout(leave, cancelMs);
    peer.cancel(executionId, call).catch(() => {
      // A run that was there may have ended by itself: its result is on its way.
      if (seen.size === 0) leave();
    });
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    signal.throwIfAborted();
    await around?.before(workspace, signal);
    const result = await whileThere(call, (passed) =>
      peer.execute(request, { ...passed, executionId, requestKey, onEvent: see }),
    );
    await around?.after(workspace, signal).catch(unlessCancelled(signal));
    return result;
  } catch (error) {
    if (!seen.has('started')) return asCancelled(signal)(error);
    unlessCancelled(signal)(error);
    throw new ServiceError(
      'session_unreachable',
      `${stopReason(signal)}, and the server that holds its session did not say in time what had become of it: that is not known.`,
      { cause: error },
    );
  } finally {
    clearTimeout(patience);
    signal.removeEventListener('abort', cancel);
    onLeft?.();
  }
}

/** Throws what is not for the signal's sake. */
function unlessCancelled(signal: AbortSignal) {
  return (error: unknown): void => {
    if (error instanceof ServiceError || !signal.aborted) throw error;
  };
}
