import type { SessionRequest } from '../request/session.ts';
import type { SessionView, WorkspaceListing } from '../result/session.ts';

export interface SessionCall {
  /** Who asks; empty where callers are not told apart. */
  caller: string;
  signal: AbortSignal;
  /** Another replica passed it on, which takes the session for one of this server's. */
  forwarded?: boolean;
}

/**
 * Sessions, wherever they live. What is asked of one is done in order. All throw ServiceError: not_found for one that is not
 * there or another caller's, session_ended, session_unreachable, queue_full, shutting_down. Code runs in one by
 * `service.execute` with its `session_id`.
 */
export interface Sessions {
  /** Throws too_many_sessions, and what a run without a sandbox does. */
  create(
    request: SessionRequest,
    call: SessionCall & { onProgress?: (message: string) => void },
  ): Promise<SessionView>;
  /**
   * The session of a name that a client goes by, made where there is none; how its handle is made of the name, this knows.
   * For doors whose clients know nothing of sessions.
   */
  named(name: string, call: SessionCall): Promise<string>;
  /** That session, if it is there: none is made. */
  findNamed(name: string, call: SessionCall): Promise<string | undefined>;
  end(id: string, call: SessionCall): Promise<void>;
  list(
    id: string,
    path: string,
    options: { recursive: boolean },
    call: SessionCall,
  ): Promise<WorkspaceListing>;
  /** too_large above `maxBytes`; there is a bound of its own as well. */
  read(id: string, path: string, maxBytes: number, call: SessionCall): Promise<Buffer>;
  /** Makes or replaces a file. */
  write(id: string, path: string, bytes: Uint8Array, call: SessionCall): Promise<void>;
}
