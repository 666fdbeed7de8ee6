import { createQueue } from '../admission/queue.ts';
import { ServiceError } from '../result/errors.ts';
import type { Limits, SessionEnd, SessionSandbox } from '../schedule/backend.ts';
import { stops } from '../schedule/stop.ts';
import { sessionEnded } from './words.ts';

/** What a session was made with. */
export interface SessionFacts {
  requirements: string[];
  /** Of its runs; a run may name another time. */
  limits: Limits;
  idleSeconds: number;
  maxAgeSeconds: number;
  /** Longest that a call takes, its waits included. */
  callSeconds: number;
  /** Most calls that wait for their turn. */
  queueLength: number;
}

export interface SessionEvents {
  /** Its life could not be made longer. */
  notExtended(error: unknown): void;
  /** It is away. */
  ended(why: SessionEnd, seconds: number): void;
}

/** A session of this server. */
export interface Session {
  facts: SessionFacts;
  created: Date;
  /** Whether its interpreter has run code, and so may have variables. */
  hasVariables: boolean;
  /** Waits for its turn. Throws ServiceError, or the signal's reason. */
  turn(signal: AbortSignal): Promise<SessionTurn>;
  /** Ends it, and what goes on in it. Never throws. */
  end(why: SessionEnd): Promise<void>;
  /** Resolves when it is away; undefined while it lives. */
  readonly ending: Promise<void> | undefined;
}

export interface SessionTurn {
  sandbox: SessionSandbox;
  /** How long the session has to live at most, from now on. */
  readonly secondsLeft: number;
  /** Aborts where the session is ended meanwhile. */
  signal: AbortSignal;
  leave(): void;
}

/** How long a session lives at first, and how far its life is extended each time. */
export function sessionLife({ idleSeconds, callSeconds }: Pick<SessionFacts, 'idleSeconds' | 'callSeconds'>) {
  return 2 * (idleSeconds + callSeconds);
}

/** Longest wait for a longer life. */
const extendMs = 10_000;

export function createSession(sandbox: SessionSandbox, facts: SessionFacts, events: SessionEvents): Session {
  const { idleSeconds, maxAgeSeconds, queueLength } = facts;
  const created = new Date();
  const began = performance.now();
  const age = () => (performance.now() - began) / 1000;
  const line = createQueue({ concurrency: 1, queueLength, queueWaitSeconds: maxAgeSeconds });
  const over = new AbortController();
  const stop = new AbortController();
  let livesUntil = sessionLife(facts);
  let ending: Promise<void> | undefined;
  let idle: NodeJS.Timeout | undefined;
  const old = setTimeout(() => void end('too_old'), maxAgeSeconds * 1000);

  function rest(): void {
    clearTimeout(idle);
    if (!over.signal.aborted) idle = setTimeout(() => void end('idle'), idleSeconds * 1000);
  }

  /** Less than half of a life is left: the longest call, and the idle time after it, take as much. */
  function extend(): void {
    const life = sessionLife(facts);
    if (livesUntil - age() >= life / 2 || livesUntil >= maxAgeSeconds) return;
    const before = livesUntil;
    livesUntil = Math.min(age() + life, maxAgeSeconds);
    sandbox.extend(livesUntil - age(), AbortSignal.timeout(extendMs)).catch((error: unknown) => {
      livesUntil = before; // the next call tries again
      events.notExtended(error);
    });
  }

  async function enter(signal: AbortSignal): Promise<() => void> {
    try {
      return await line.enter(AbortSignal.any([signal, over.signal]));
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === 'queue_full')) throw error;
      const message = `${queueLength} calls wait for their turn in this session, which is as many as may.`;
      throw new ServiceError('queue_full', message, { retryAfterSeconds: 1 });
    }
  }

  function end(why: SessionEnd): Promise<void> {
    return (ending ??= finish(why));
  }

  async function finish(why: SessionEnd): Promise<void> {
    clearTimeout(idle);
    clearTimeout(old);
    over.abort(sessionEnded(why));
    // A run of one that is too old ends in time, and that of a broken connection is read from the log.
    if (why === 'ended' || why === 'server_stopped') stop.abort(stops.sessionEnded());
    await line.whenIdle();
    await sandbox.end(why);
    events.ended(why, age());
  }

  sandbox.gone.addEventListener('abort', () => void end('sandbox_lost'), { once: true });
  if (sandbox.gone.aborted) void end('sandbox_lost');
  rest();

  return {
    facts,
    created,
    hasVariables: false,
    async turn(signal) {
      const leave = await enter(signal);
      if (over.signal.aborted) {
        leave();
        throw over.signal.reason;
      }
      clearTimeout(idle);
      extend();
      return {
        sandbox,
        get secondsLeft() {
          return maxAgeSeconds - age();
        },
        signal: stop.signal,
        leave() {
          leave();
          if (line.running === 0) rest();
        },
      };
    },
    end,
    get ending() {
      return ending;
    },
  };
}
