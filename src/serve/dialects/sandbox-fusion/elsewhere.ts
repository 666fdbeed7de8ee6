import { limitOf } from '../../../piston/limit.ts';
import type { Piston, PistonJob, PistonOutcome } from '../../../piston/piston.ts';
import { ServiceError } from '../../../result/errors.ts';
import type { Behind } from '../dialect.ts';
import { answerOf, commandOfStage, type RunCodeAnswer } from './answer.ts';
import { filesOf, type RunCode } from './request.ts';

const MiB = 1_048_576;
const bounded = ['compile_timeout', 'run_timeout', 'run_memory_limit'] as const;

/** Runs another language than Python on the Piston behind. Throws ServiceError, and the signal's reason. */
export async function runElsewhere(
  piston: Pick<Piston, 'runtimes' | 'execute'>,
  { pistonPlaces, settings }: Pick<Behind, 'pistonPlaces' | 'settings'>,
  body: RunCode,
  language: string,
  signal: AbortSignal,
): Promise<RunCodeAnswer> {
  if (body.fetch_files.length > 0)
    throw new ServiceError(
      'invalid_request',
      `fetch_files: files of "${body.language}" do not come back here.`,
    );
  const files = filesOf(body, settings);
  if (Buffer.byteLength(body.code) > settings.maxCodeBytes)
    throw new ServiceError('too_large', `The code is longer than ${settings.maxCodeBytes} bytes.`);
  const runtimes = await piston.runtimes(signal);
  const runtime = runtimes.find((each) => each.language === language || each.aliases.includes(language));
  if (!runtime)
    throw new ServiceError('invalid_request', `"${body.language}" is not installed on this server's Piston.`);
  const leave = await pistonPlaces.enter(signal);
  try {
    const outcome = await ask(
      piston,
      jobOf(body, runtime.language, files, settings.maxTimeoutSeconds),
      signal,
    );
    if ('refused' in outcome)
      throw new ServiceError('piston_failed', `Piston refuses the run: ${outcome.refused}.`);
    const { compile, run } = outcome.answer;
    const compiled = compile ? commandOfStage(compile) : null;
    // Of a program that did not compile, Piston says the same again as its run.
    const didCompile = !compiled || (compiled.status === 'Finished' && compiled.return_code === 0);
    return answerOf(compiled, didCompile ? commandOfStage(run) : null);
  } finally {
    leave();
  }
}

/** Asks once more for each limit that Piston says it has: it does so only when it is asked for more. */
async function ask(
  piston: Pick<Piston, 'execute'>,
  job: PistonJob,
  signal: AbortSignal,
  refusals: number = bounded.length,
): Promise<PistonOutcome> {
  const outcome = await piston.execute(job, signal);
  const limit = 'refused' in outcome ? limitOf(outcome.refused) : undefined;
  const name = bounded.find((each) => each === limit?.name);
  return !limit || name === undefined || refusals === 0
    ? outcome
    : await ask(piston, { ...job, [name]: limit.most }, signal, refusals - 1);
}

function jobOf(
  { code, stdin, compile_timeout, run_timeout, memory_limit_MB }: RunCode,
  language: string,
  files: { path: string; bytes: Buffer }[],
  maxSeconds: number,
): PistonJob {
  return {
    language,
    version: '*',
    files: [
      { content: code },
      ...files.map(({ path, bytes }) => ({
        name: path,
        content: bytes.toString('base64'),
        encoding: 'base64' as const,
      })),
    ],
    stdin: stdin ?? '',
    compile_timeout: milliseconds(compile_timeout, maxSeconds),
    run_timeout: milliseconds(run_timeout, maxSeconds),
    ...(memory_limit_MB > 0 && { run_memory_limit: memory_limit_MB * MiB }),
  };
}

/** Never 0, which lifts a limit there. */
function milliseconds(seconds: number, maxSeconds: number): number {
  return Math.max(1, Math.round(Math.min(seconds, maxSeconds) * 1000));
}
