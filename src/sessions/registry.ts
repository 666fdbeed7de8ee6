import { clampLimits, type Policy } from '../admission/policy.ts';
import { normalise } from '../request/requirements.ts';
import type { SessionRequest } from '../request/session.ts';
import { ServiceError } from '../result/errors.ts';
import type { SessionView } from '../result/session.ts';
import { type Backend, SessionThere } from '../schedule/backend.ts';
import { type KindSettings, kindOf } from '../schedule/kind.ts';
import type { Stages } from '../schedule/run.ts';
import { handleOf, keyOf, newHandle } from './handle.ts';
import {
  createSession,
  type Session,
  type SessionEvents,
  type SessionFacts,
  sessionLife,
} from './session.ts';
import type { SessionCall, Sessions } from './sessions.ts';

export interface RegistrySettings extends Policy, KindSettings {
  replicaName: string;
  advertiseUrl: string;
  sessionIdleSeconds: number;
  sessionMaxAgeSeconds: number;
  sessionsPerCaller: number;
  maxSessions: number;
  sessionQueueLength: number;
  queueWaitSeconds: number;
  fetchSeconds: number;
  buildSeconds: number;
}

type OfCluster = Pick<Backend, 'openSession' | 'findSession' | 'sessionsOf'>;

/** The sessions of this server. */
export interface Registry extends Pick<Sessions, 'create' | 'named' | 'findNamed'> {
  /** One of this server's own, also while it is made. */
  here(key: string): Promise<Session | undefined>;
  readonly size: number;
  drain(): void;
  /** Ends all. */
  close(): Promise<void>;
}

const nothing: SessionRequest = { requirements: [], limits: {} };

export function createRegistry(
  backend: OfCluster,
  environments: Pick<Stages['environments'], 'prepare'>,
  settings: RegistrySettings,
  events: SessionEvents,
): Registry {
  const live = new Map<string, Session>();
  const making = new Map<string, { caller: string; made: Promise<Session> }>();
  const closing = new AbortController();
  let draining = false;

  /** Throws too_many_sessions. Those that were asked for later do not count. */
  async function checkRoom(key: string, { caller, signal }: SessionCall): Promise<void> {
    const { maxSessions, sessionsPerCaller } = settings;
    const before = [...making].slice(0, [...making.keys()].indexOf(key));
    if (live.size + before.length >= maxSessions)
      throw tooMany(`This server has ${maxSessions} sessions, which is as many as it may.`);
    const later = new Set([...making.keys()].slice(before.length));
    const theirs = await backend.sessionsOf(caller, signal);
    const all = new Set([
      ...theirs.filter((other) => !later.has(other)),
      ...before.filter(([, other]) => other.caller === caller).map(([other]) => other),
    ]);
    if (all.size >= sessionsPerCaller)
      throw tooMany(`This caller has ${all.size} sessions, which is as many as it may.`);
  }

  async function make(key: string, facts: SessionFacts, call: SessionCall): Promise<Session> {
    await checkRoom(key, call);
    const { limits, maxAgeSeconds } = facts;
    const kind = kindOf({ code: '', pool: undefined }, limits, settings);
    const lifeSeconds = Math.min(sessionLife(facts), maxAgeSeconds);
    const spec = { key, caller: call.caller, kind, maxAgeSeconds, lifeSeconds };
    const signal = AbortSignal.any([call.signal, closing.signal]);
    const sandbox = await backend.openSession(spec, signal);
    const session = createSession(sandbox, facts, {
      ...events,
      ended(why, seconds) {
        live.delete(key);
        events.ended(why, seconds);
      },
    });
    live.set(key, session);
    // Its caller may have gone while it started.
    if (signal.aborted) {
      await session.end('server_stopped');
      throw signal.reason;
    }
    return session;
  }

  async function open(key: string, facts: SessionFacts, call: SessionCall): Promise<Session> {
    if (draining) throw shuttingDown();
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    promise.catch(() => undefined);
    making.set(key, { caller: call.caller, made: promise });
    try {
      const session = await make(key, facts, call);
      resolve(session);
      return session;
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      making.delete(key);
    }
  }

  function plan(request: SessionRequest): { facts: SessionFacts; hints: string[] } {
    const { sessionIdleSeconds, sessionMaxAgeSeconds: maxAgeSeconds } = settings;
    const { limits, hints } = clampLimits(request, settings);
    const idleSeconds = Math.min(request.idle_seconds ?? sessionIdleSeconds, sessionIdleSeconds);
    if (idleSeconds < (request.idle_seconds ?? 0)) {
      hints.push(
        `idle_seconds was lowered from ${request.idle_seconds} to ${idleSeconds} s, the most that this server allows.`,
      );
    }
    const { maxTimeoutSeconds, queueWaitSeconds, fetchSeconds, buildSeconds } = settings;
    // A run with a fresh interpreter may wait for a build, and that for others.
    const callSeconds = maxTimeoutSeconds + queueWaitSeconds + fetchSeconds + 2 * buildSeconds;
    const requirements = normalise(request.requirements);
    const queueLength = settings.sessionQueueLength;
    return {
      facts: { requirements, limits, idleSeconds, maxAgeSeconds, callSeconds, queueLength },
      hints,
    };
  }

  /** The session of this name, made by whoever is the first. */
  async function named(name: string, call: SessionCall): Promise<string> {
    const handle = handleOf(name, call.caller);
    const key = keyOf(handle, call.caller);
    do {
      if (await find(key, call)) return handle;
      // Another call may have begun to make it meanwhile.
    } while (making.has(key) || live.has(key));
    try {
      await open(key, plan(nothing).facts, call);
    } catch (error) {
      if (!(error instanceof SessionThere)) throw error;
    }
    return handle;
  }

  /** Whether it lives, here or elsewhere. */
  async function find(key: string, { caller, signal }: SessionCall): Promise<boolean> {
    const session = await here(key);
    if (session && !session.ending) return true;
    await session?.ending;
    const trace = await backend.findSession(key, caller, signal);
    return trace !== undefined && trace.ended === undefined;
  }

  async function here(key: string): Promise<Session | undefined> {
    const made = making.get(key)?.made;
    return live.get(key) ?? (await made?.catch(() => undefined));
  }

  return {
    async create(request, call) {
      const { facts, hints } = plan(request);
      if (facts.requirements.length > 0) {
        const { signal, onProgress = () => undefined } = call;
        await environments.prepare(facts.requirements, { signal, onProgress, image: settings.image });
      }
      const handle = newHandle();
      const session = await open(keyOf(handle, call.caller), facts, call);
      return viewOf(handle, session, hints);
    },
    named,
    async findNamed(name, call) {
      const handle = handleOf(name, call.caller);
      return (await find(keyOf(handle, call.caller), call)) ? handle : undefined;
    },
    here,
    get size() {
      return live.size;
    },
    drain() {
      draining = true;
    },
    async close() {
      draining = true;
      closing.abort(shuttingDown());
      await Promise.all([...making.values()].map(({ made }) => made.catch(() => undefined)));
      await Promise.all([...live.values()].map((session) => session.end('server_stopped')));
    },
  };
}

function viewOf(handle: string, { created, facts }: Session, hints: string[]): SessionView {
  return {
    session_id: handle,
    created: created.toISOString(),
    expires: new Date(created.getTime() + facts.maxAgeSeconds * 1000).toISOString(),
    idle_seconds: facts.idleSeconds,
    limits: facts.limits,
    hints,
  };
}

function tooMany(message: string): ServiceError {
  return new ServiceError('too_many_sessions', message, { retryAfterSeconds: 10 });
}

function shuttingDown(): ServiceError {
  return new ServiceError('shutting_down', 'This server is shutting down and takes no new sessions.');
}
