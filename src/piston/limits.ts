import type { PistonJob, PistonOutcome } from './piston.ts';

/** How long what a Piston allows is taken for granted: its operator may raise it. */
const freshMs = 300_000;
const MiB = 1_048_576;

/** The least of each: what rounds to 0 in Piston lifts the limit there, in milliseconds and in units of 1000 bytes. */
const least = { compile_timeout: 1, run_timeout: 1, run_memory_limit: 1000 };
type Name = keyof typeof least;
const names = Object.keys(least) as Name[];

/** `sent` is what was answered to. */
export interface WithinLimits<Job extends PistonJob> {
  outcome: PistonOutcome;
  sent: Job;
}

/** What a Piston allows, by language. It says so only when it is asked for more. */
export function createPistonLimits(ask: (job: PistonJob) => Promise<PistonOutcome>) {
  const known = new Map<string, { most: number; at: number }>();
  const keyOf = (language: string, name: Name) => `${language} ${name}`;

  /** The job, lowered to what is allowed. */
  function lower<Job extends PistonJob>(job: Job): Job {
    const lowered = names.flatMap((name) => {
      const asked = job[name];
      if (asked === undefined) return [];
      const found = known.get(keyOf(job.language, name));
      const most = found && performance.now() - found.at < freshMs ? found.most : Infinity;
      return [[name, Math.max(least[name], Math.min(Math.ceil(asked), most))] as const];
    });
    return { ...job, ...Object.fromEntries(lowered) };
  }

  /** Whether a refusal says that the most is less than what was sent. */
  function learn(sent: PistonJob, refusal: string): boolean {
    const said = limitOf(refusal);
    const name = names.find((each) => each === said?.name);
    if (!said || name === undefined) return false;
    known.set(keyOf(sent.language, name), { most: said.most, at: performance.now() });
    return (sent[name] ?? 0) > said.most;
  }

  async function attempt<Job extends PistonJob>(job: Job, refusals: number): Promise<WithinLimits<Job>> {
    const sent = lower(job);
    const outcome = await ask(sent);
    return refusals > 0 && 'refused' in outcome && learn(sent, outcome.refused)
      ? attempt(job, refusals - 1)
      : { outcome, sent };
  }

  /** Asks, and once more for each limit that Piston says it has. */
  return <Job extends PistonJob>(job: Job) => attempt(job, names.length);
}

/** Limits that are passed on as a client has them: as small as they may be, none is a limit of 0 to Piston. */
export function leastLimits<Limits extends Partial<Record<string, number>>>(limits: Limits): Limits {
  const raised = Object.entries(limits).map(([name, value]) => {
    const leastOfIt = name.endsWith('_memory_limit') ? least.run_memory_limit : least.run_timeout;
    return [name, value && Math.max(leastOfIt, Math.ceil(value))];
  });
  return Object.fromEntries(raised) as Limits;
}

/** What was lowered, for the caller, who knows the limits by other names. */
export function loweredHints(
  asked: PistonJob,
  sent: PistonJob,
  called: Partial<Record<Name, string>>,
): string[] {
  return names.flatMap((name) => {
    const [wanted, got] = [asked[name], sent[name]];
    const isLowered = wanted !== undefined && got !== undefined && got < wanted;
    if (!isLowered || called[name] === undefined) return [];
    const amount = name === 'run_memory_limit' ? `${Math.floor(got / MiB)} MiB` : `${got / 1000} s`;
    return [`${called[name]} was lowered to ${amount}, the most that Piston allows ${asked.language}.`];
  });
}

/** What a Piston says that its most of a limit is, where that is why it refuses a job. It says so only then. */
export function limitOf(refusal: string): { name: string; most: number } | undefined {
  const [, name, most] = /^(\w+) cannot exceed the configured limit of (\d+)$/.exec(refusal) ?? [];
  return name === undefined ? undefined : { name, most: Number(most) };
}
