import type { z } from 'zod';
import { ServiceError } from '../result/errors.ts';
import { executed, packageList, refusal, runtimeList, thrown } from './answers.ts';
import { createExchange, type Said } from './exchange.ts';
import { createPistonLimits } from './limits.ts';
import type { Piston, PistonJob, PistonOutcome, PistonRuntime } from './piston.ts';

export interface PistonSettings {
  pistonUrl: string;
  /** Empty for none. */
  pistonToken: string;
  /** How long a stage may take for which the job names no limit. */
  maxTimeoutSeconds: number;
}

const listSeconds = 10;
const changeSeconds = 300;
/** What Piston may take beside its stages: files, its own clean-up, and the way there. */
const slackSeconds = 10;
const freshMs = 5000;
const mostWords = 500;

/** The client of a Piston. Nothing that comes from there is taken as it is. */
export function createPiston(settings: PistonSettings): Piston & { close(): Promise<void> } {
  const { ask, close } = createExchange(settings.pistonUrl, settings.pistonToken);
  let known: { at: number; runtimes: PistonRuntime[] } | undefined;

  async function execute(job: PistonJob): Promise<PistonOutcome> {
    const seconds = secondsOf(job, settings.maxTimeoutSeconds);
    const said = await ask({ method: 'POST', path: '/execute', body: job, seconds });
    if (said.status !== 400) return { answer: check(said, executed, 'execute', job) };
    const refused = refusal.safeParse(said.body);
    if (refused.success) return { refused: refused.data.message.slice(0, mostWords) };
    throw fault(said, 'execute', job);
  }

  return {
    async runtimes(signal) {
      if (known && performance.now() - known.at < freshMs) return known.runtimes;
      const said = await ask({ method: 'GET', path: '/runtimes', seconds: listSeconds }, signal);
      const runtimes = check(said, runtimeList, 'runtimes');
      known = { at: performance.now(), runtimes };
      return runtimes;
    },
    execute,
    executeWithinLimits: createPistonLimits(execute),
    async packages(signal) {
      const said = await ask({ method: 'GET', path: '/packages', seconds: listSeconds }, signal);
      return check(said, packageList, 'packages');
    },
    async change(method, { language, version }, signal) {
      known = undefined;
      const body = { language, version };
      const said = await ask({ method, path: '/packages', body, seconds: changeSeconds }, signal);
      known = undefined;
      if (said.body === undefined) throw fault(said, 'packages');
      return said;
    },
    close,
  };
}

/** How long to wait for a job: a Piston has a queue without an end, and may hang. */
function secondsOf({ run_timeout, compile_timeout }: PistonJob, most: number): number {
  const stage = (ms: number | undefined) => (ms === undefined ? most : ms / 1000);
  return stage(run_timeout) + stage(compile_timeout) + slackSeconds;
}

function check<T>(said: Said, shape: z.ZodType<T>, what: string, job?: PistonJob): T {
  if (said.status !== 200) throw fault(said, what, job);
  const checked = shape.safeParse(said.body);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const where = issue?.path.length ? ` at ${issue.path.join('.')}` : '';
  throw new ServiceError(
    'piston_failed',
    `What Piston answered to ${what} has another shape than it should${where}: ${issue?.message ?? 'no JSON'}.`,
  );
}

/** An answer that is none, by its status. */
function fault(said: Said, what: string, job?: PistonJob): ServiceError {
  const { status } = said;
  const failed = (why: string) => new ServiceError('piston_failed', `Piston ${why} (HTTP ${status}).`);
  const stack = thrown.safeParse(said.body).data?.stack.split('\n')[0]?.slice(0, mostWords);
  if (status === 413 || stack?.includes('request entity too large')) {
    const bytes = job && ` ${Buffer.byteLength(JSON.stringify(job))} bytes`;
    return new ServiceError(
      'too_large',
      `Piston takes no request of${bytes ?? ' this size'}: by itself it takes 102400 bytes, code, stdin and files together.`,
    );
  }
  if (status === 401 || status === 403) return failed('does not let this server in: check pistonToken');
  if (status === 404 || (status >= 300 && status < 400))
    return failed(`has no ${what} where it is looked for: check pistonUrl`);
  if (status === 429 || (status >= 502 && status <= 504)) {
    return new ServiceError('piston_unavailable', `Piston takes no requests now (HTTP ${status}).`, {
      retryAfterSeconds: 1,
    });
  }
  const message = refusal.safeParse(said.body).data?.message.slice(0, mostWords);
  return failed(`failed at ${what} and said ${message ?? stack ?? 'nothing that explains it'}`);
}
