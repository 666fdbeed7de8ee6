import { limitOf } from '../piston/limit.ts';
import type { PistonJob, PistonOutcome } from '../piston/piston.ts';

/** How long what a Piston allows is taken for granted: its operator may raise it. */
const freshMs = 300_000;
const MiB = 1_048_576;
const names = ['run_timeout', 'run_memory_limit'] as const;
type Name = (typeof names)[number];

/** The least that Piston has: 0 lifts a limit there. */
const least = 1;

type Ask = (job: Bounded) => Promise<PistonOutcome>;

/** `sent` is what was answered to. */
interface Taken {
  outcome: PistonOutcome;
  sent: Bounded;
}

export type Bounded = PistonJob & Record<Name, number>;

/** What a Piston allows, by language. It says so only when it is asked for more. */
export function createPistonLimits() {
  const known = new Map<string, { most: number; at: number }>();
  const keyOf = (language: string, name: Name) => `${language} ${name}`;

  /** The job, lowered to what is allowed. */
  function lower(job: Bounded): Bounded {
    const lowered = names.map((name) => {
      const found = known.get(keyOf(job.language, name));
      const most = found && performance.now() - found.at < freshMs ? found.most : Infinity;
      return [name, Math.max(least, Math.min(Math.ceil(job[name]), most))] as const;
    });
    return { ...job, ...(Object.fromEntries(lowered) as Record<Name, number>) };
  }

  /** Whether a refusal says what the most is. */
  function learn(language: string, refusal: string): boolean {
    const said = limitOf(refusal);
    const name = names.find((each) => each === said?.name);
    if (!said || name === undefined) return false;
    known.set(keyOf(language, name), { most: said.most, at: performance.now() });
    return true;
  }

  async function attempt(job: Bounded, ask: Ask, refusals: number): Promise<Taken> {
    const sent = lower(job);
    const outcome = await ask(sent);
    return refusals > 0 && 'refused' in outcome && learn(job.language, outcome.refused)
      ? attempt(job, ask, refusals - 1)
      : { outcome, sent };
  }

  return {
    /** Asks, and once more for each limit that Piston says it has. */
    execute: (job: Bounded, ask: Ask) => attempt(job, ask, names.length),
  };
}

/** What was lowered, for the caller. */
export function loweredHints(asked: Bounded, sent: Bounded): string[] {
  const hint = (what: string) => `${what}, the most that Piston allows ${asked.language}.`;
  return [
    ...(sent.run_timeout < asked.run_timeout
      ? [hint(`timeout_seconds was lowered to ${sent.run_timeout / 1000} s`)]
      : []),
    ...(sent.run_memory_limit < asked.run_memory_limit
      ? [hint(`limits.memory_mb was lowered to ${Math.floor(sent.run_memory_limit / MiB)} MiB`)]
      : []),
  ];
}
