import {
  type Backend,
  type Sandbox,
  type SandboxSpec,
  type SessionEnd,
  SessionThere,
} from '../schedule/backend.ts';

/** Ended sessions that can still be asked for. */
const keptEnds = 256;

interface Known {
  caller: string;
  ended: SessionEnd | undefined;
}

type OfSessions = Pick<Backend, 'openSession' | 'findSession' | 'sessionsOf' | 'sessionOwners'>;

/** Sessions on a machine without a cluster: this server is the only one that there is. */
export function localSessions(
  open: (spec: SandboxSpec, signal: AbortSignal) => Promise<Sandbox>,
  replica: string,
): OfSessions {
  const known = new Map<string, Known>();

  function keepEnd(key: string, session: Known): void {
    known.delete(key);
    known.set(key, session);
    const ends = [...known].filter(([, { ended }]) => ended !== undefined);
    for (const [oldest] of ends.slice(0, -keptEnds)) known.delete(oldest);
  }

  return {
    async openSession({ key, caller, kind, maxAgeSeconds }, signal) {
      const there = known.get(key);
      if (there && there.ended === undefined) throw new SessionThere('There is a session of this key.');
      const session: Known = { caller, ended: undefined };
      known.set(key, session);
      const spec = { kind, pool: undefined, claim: undefined, lifeSeconds: maxAgeSeconds, build: false };
      const sandbox = await open(spec, signal).catch((error: unknown) => {
        known.delete(key);
        throw error;
      });
      return {
        ...sandbox,
        extend: () => Promise.resolve(),
        async end(why) {
          session.ended = why;
          keepEnd(key, session);
          await sandbox.dispose();
        },
      };
    },
    findSession(key, caller) {
      const found = known.get(key);
      return Promise.resolve(found?.caller === caller ? { replica, url: '', ended: found.ended } : undefined);
    },
    sessionOwners: () => Promise.resolve([]),
    sessionsOf(caller) {
      const theirs = [...known].filter(([, each]) => each.caller === caller && each.ended === undefined);
      return Promise.resolve(theirs.map(([key]) => key));
    },
  };
}
