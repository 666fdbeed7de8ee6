import { ServiceError } from '../result/errors.ts';
import { type Backend, type RunSelector, SandboxLost, type WorkspaceFiles } from '../schedule/backend.ts';
import type { Stages } from '../schedule/run.ts';
import type { SessionRuns } from '../schedule/turn.ts';
import { keyOf } from './handle.ts';
import { type Elsewhere, pass } from './pass.ts';
import { createPeers, type Peer, type PeerSettings } from './peer.ts';
import { createRegistry, type RegistrySettings } from './registry.ts';
import type { Session, SessionEvents, SessionTurn } from './session.ts';
import type { SessionCall, Sessions } from './sessions.ts';
import { asServiceError, checkRequest, takeTurn } from './turn.ts';
import { noSession, sessionEnded } from './words.ts';

/** How often a call that waits for another server asks the cluster whether the session is still there. */
const askMs = 15_000;

/** How long another server may take to say whether it has a run. */
const answerMs = 5000;

const firstTime = Date.parse('0000-01-01T00:00:00.000Z');
const lastTime = Date.parse('9999-12-31T23:59:59.999Z');

/** Sessions for all who ask: those of this server, and the way to those of others. */
export interface OpenSessions extends Sessions, SessionRuns {
  /** How many this server has. */
  readonly size: number;
  /** Takes no new ones. */
  drain(): void;
  /** Ends those of this server. */
  close(): Promise<void>;
}

export function openSessions(
  backend: Pick<Backend, 'openSession' | 'findSession' | 'sessionsOf' | 'sessionOwners'>,
  environments: Pick<Stages['environments'], 'prepare'>,
  settings: RegistrySettings & PeerSettings,
  events: SessionEvents,
): OpenSessions {
  const registry = createRegistry(backend, environments, settings, events);
  const peers = createPeers(settings);

  /** Where a session is. Throws ServiceError where it is nowhere, or out of reach. */
  async function find(
    id: string,
    { caller, signal, forwarded = false }: SessionCall,
  ): Promise<Session | Peer> {
    const key = keyOf(id, caller);
    const session = await registry.here(key);
    if (session) return session;
    const trace = await backend.findSession(key, caller, signal);
    if (trace?.ended) throw sessionEnded(trace.ended);
    if (!trace || forwarded || trace.replica === settings.replicaName) throw noSession();
    if (trace.url !== '') return peers.at(trace.url);
    throw new ServiceError(
      'session_unreachable',
      `The session is on the server ${trace.replica}, and only that can reach it: it says no advertiseUrl.`,
    );
  }

  /** Waits for another server as long as the session may be there. */
  async function whileThere<T>(
    id: string,
    call: SessionCall,
    act: (call: SessionCall) => Promise<T>,
  ): Promise<T> {
    const gone = new AbortController();
    const signal = AbortSignal.any([call.signal, gone.signal]);
    const timer = setInterval(() => {
      backend.findSession(keyOf(id, call.caller), call.caller, signal).then(
        (trace) => {
          if (!trace) gone.abort(noSession());
        },
        () => undefined, // the cluster does not answer: the next time it may
      );
    }, askMs);
    try {
      return await act({ ...call, signal });
    } finally {
      clearInterval(timer);
      gone.abort();
    }
  }

  /** One call about files, in its turn. */
  async function inTurn<T>(
    id: string,
    call: SessionCall,
    here: (turn: SessionTurn) => Promise<T>,
    there: (peer: Peer, call: SessionCall) => Promise<T>,
  ): Promise<T> {
    const place = await find(id, call);
    if (!('turn' in place)) return whileThere(id, call, (passed) => there(place, passed));
    const turn = await place.turn(call.signal);
    try {
      return await here(turn);
    } catch (error) {
      if (error instanceof SandboxLost) void place.end('sandbox_lost');
      throw asServiceError(error);
    } finally {
      turn.leave();
    }
  }

  const files: Pick<Sessions, 'list' | 'read' | 'write'> = {
    list: (id, path, options, call) =>
      inTurn(
        id,
        call,
        async ({ sandbox }) => {
          const { entries, left_out } = await sandbox.files.list(path, options, call.signal);
          return {
            entries: entries.map((entry) => ({ ...entry, modified: timeOf(entry.modified) })),
            left_out,
          };
        },
        (peer, passed) => peer.list(id, path, options, passed),
      ),
    read: (id, path, maxBytes, call) =>
      inTurn(
        id,
        call,
        ({ sandbox }) => sandbox.files.read(path, maxBytes, call.signal),
        (peer, passed) => peer.read(id, path, maxBytes, passed),
      ),
    write: (id, path, bytes, call) =>
      inTurn(
        id,
        call,
        ({ sandbox }) => sandbox.files.write(path, bytes, call.signal),
        (peer, passed) => peer.write(id, path, bytes, passed),
      ),
  };

  /** The workspace of a session for what a door does around its run. */
  function workspaceOf(id: string, call: Omit<SessionCall, 'signal'>): WorkspaceFiles {
    return {
      async list(path, options, signal) {
        const { entries, left_out } = await files.list(id, path, options, { ...call, signal });
        const seconds = (iso: string) => new Date(iso).getTime() / 1000;
        return {
          entries: entries.map((entry) => ({ ...entry, modified: seconds(entry.modified) })),
          left_out,
        };
      },
      read: (path, maxBytes, signal) => files.read(id, path, maxBytes, { ...call, signal }),
      write: (path, bytes, signal) => files.write(id, path, bytes, { ...call, signal }),
    };
  }

  return {
    create: (request, call) => registry.create(request, call).catch(asGone(call)),
    named: (name, call) => registry.named(name, call).catch(asGone(call)),
    findNamed: (name, call) => registry.findNamed(name, call).catch(asGone(call)),
    async end(id, call) {
      const place = await find(id, call).catch(asGone(call));
      if ('turn' in place) await place.end('ended');
      else await whileThere(id, call, (passed) => place.end(id, passed)).catch(asGone(call));
    },
    list: (id, path, options, call) => files.list(id, path, options, call).catch(asGone(call)),
    read: (id, path, maxBytes, call) => files.read(id, path, maxBytes, call).catch(asGone(call)),
    write: (id, path, bytes, call) => files.write(id, path, bytes, call).catch(asGone(call)),
    async elsewhere(request, { caller = '', signal, forwarded = false }) {
      const { session_id: id } = request;
      if (id === undefined) return undefined;
      checkRequest(request);
      const place = await find(id, { caller, signal, forwarded });
      if ('turn' in place) return undefined;
      const there: Elsewhere = {
        peer: place,
        workspace: workspaceOf(id, { caller }),
        whileThere: (call, act) => whileThere(id, call, act),
      };
      return (options) => pass(there, request, options);
    },
    async cancelElsewhere(by, signal) {
      const urls = await backend.sessionOwners(signal);
      const others = urls.filter((url) => url !== settings.advertiseUrl).map((url) => peers.at(url));
      const answers = await Promise.allSettled(others.map((peer) => cancelAt(peer, by, signal)));
      if (answers.some((answer) => answer.status === 'fulfilled' && answer.value)) return true;
      const failed = answers.find((answer) => answer.status === 'rejected');
      if (failed) throw failed.reason;
      return false;
    },
    async turn(request, { caller = '', signal }) {
      const session = await find(request.session_id ?? '', { caller, signal, forwarded: true });
      if (!('turn' in session)) throw noSession();
      return takeTurn(session, request, signal);
    },
    get size() {
      return registry.size;
    },
    drain: registry.drain,
    async close() {
      await registry.close();
      await peers.close();
    },
  };
}

/** Of seconds since 1970; a program gives its files any time, of which the nearest with four digits of a year is told. */
function timeOf(seconds: number): string {
  const near = Math.min(Math.max(seconds * 1000, firstTime), lastTime);
  return new Date(near).toISOString();
}

/** What a call throws whose caller has gone. */
function asGone({ signal }: SessionCall) {
  return (error: unknown): never => {
    if (!signal.aborted || error instanceof ServiceError) throw error;
    throw new ServiceError('cancelled', 'The call was cancelled by its caller.', { cause: error });
  };
}

/** Whether a server had the run and is cancelling it; one that does not answer is not waited for. */
async function cancelAt(peer: Peer, by: RunSelector, signal: AbortSignal): Promise<boolean> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  try {
    const call = { caller: by.caller, signal: patience };
    if ('executionId' in by) await peer.cancel(by.executionId, call);
    else await peer.cancelRequest(by.requestKey, call);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const isThere =
      error instanceof ServiceError && !['not_found', 'session_unreachable'].includes(error.code);
    if (isThere) throw error;
    return false;
  }
}
