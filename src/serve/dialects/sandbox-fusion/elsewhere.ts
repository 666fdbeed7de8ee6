import { loweredHints } from '../../../piston/limits.ts';
import type { Piston, PistonJob, PistonRuntime } from '../../../piston/piston.ts';
import { inPlace } from '../../../piston/places.ts';
import { findRuntime } from '../../../piston/runtimes.ts';
import { ServiceError } from '../../../result/errors.ts';
import type { Behind } from '../dialect.ts';
import { answerOf, commandOfStage, type RunCodeAnswer } from './answer.ts';
import { filesOf, type RunCode } from './request.ts';

const MiB = 1_048_576;

/** The limits by their names in a request. */
const called = {
  compile_timeout: 'compile_timeout',
  run_timeout: 'run_timeout',
  run_memory_limit: 'memory_limit_MB',
};

/** Runs another language than Python on the Piston behind. Throws ServiceError, and the signal's reason. */
export async function runElsewhere(
  piston: Pick<Piston, 'runtimes' | 'executeWithinLimits'>,
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
  const runtime = findRuntime(await piston.runtimes(signal), language);
  if (!runtime)
    throw new ServiceError('invalid_request', `"${body.language}" is not installed on this server's Piston.`);
  const job = jobOf(body, runtime, files, settings.maxTimeoutSeconds);
  const { outcome, sent } = await inPlace(pistonPlaces, () => piston.executeWithinLimits(job), signal);
  if ('refused' in outcome)
    throw new ServiceError('piston_failed', `Piston refuses the run: ${outcome.refused}.`);
  const { compile, run } = outcome.answer;
  const limits = { memoryBytes: sent.run_memory_limit, lowered: loweredHints(job, sent, called) };
  const compiled = compile ? commandOfStage(compile, { ...limits, memoryBytes: undefined }) : null;
  // Of a program that did not compile, Piston says the same again as its run.
  const didCompile = !compiled || (compiled.status === 'Finished' && compiled.return_code === 0);
  return answerOf(compiled, didCompile ? commandOfStage(run, limits) : null);
}

function jobOf(
  { code, stdin, compile_timeout, run_timeout, memory_limit_MB }: RunCode,
  { language, version }: PistonRuntime,
  files: { path: string; bytes: Buffer }[],
  maxSeconds: number,
): PistonJob {
  return {
    language,
    version,
    files: [
      { content: language === 'php' ? withTag(code) : code },
      ...files.map(({ path, bytes }) => ({
        name: path,
        content: bytes.toString('base64'),
        encoding: 'base64' as const,
      })),
    ],
    stdin: stdin ?? '',
    compile_timeout: Math.min(compile_timeout, maxSeconds) * 1000,
    run_timeout: Math.min(run_timeout, maxSeconds) * 1000,
    ...(memory_limit_MB > 0 && { run_memory_limit: memory_limit_MB * MiB }),
  };
}

/** What has no tag, PHP prints as it stands: SandboxFusion adds one. */
function withTag(code: string): string {
  return code.includes('<?php') ? code : `<?php\n${code}`;
}
