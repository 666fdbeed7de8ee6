import type { ExitFrame, Told } from '../output/frame.ts';
import { ranOutOfMemory, signalOf } from '../piston/bash.ts';
import type { PistonOutcome, PistonStage } from '../piston/piston.ts';
import { ServiceError } from '../result/errors.ts';

/** The limits that Piston was told, in its units. */
export interface AskedLimits {
  run_timeout: number;
  run_memory_limit: number;
}

export type PistonAnswer = Extract<PistonOutcome, { answer: unknown }>['answer'];

/** How a program ended, as `exit` says it. */
export type PistonEnd = Pick<ExitFrame, 'cause' | 'exit_code' | 'signal'> & { told: Told };

const MiB = 1_048_576;
const mostCompilerWords = 1000;

/** How a run ended by Piston's answer, and which stage's output is the run's. Throws ServiceError piston_failed. */
export function endOf(
  { compile, run }: PistonAnswer,
  limits: AskedLimits,
): { stage: PistonStage; end: PistonEnd } {
  // What does not compile does not run: `run` repeats it then.
  const failed = compile && compile.code !== 0 ? compile : undefined;
  const stage = failed ?? run;
  const end = failed ? endOfCompiler(failed) : endOfProgram(run, limits);
  const hints = [...end.told.hints, ...(failed ? [] : compilerHints(compile)), ...textHints(stage)];
  return { stage, end: { ...end, told: { ...end.told, hints } } };
}

function endOfProgram(stage: PistonStage, limits: AskedLimits): PistonEnd {
  const { code, status, message } = stage;
  if (ranOutOfMemory(stage, limits.run_memory_limit)) {
    return ending(
      'out_of_memory',
      `The code used more memory than its limit of ${Math.floor(limits.run_memory_limit / MiB)} MiB. Use less at one time, or raise limits.memory_mb as far as Piston allows.`,
    );
  }
  switch (status) {
    case 'TO':
      return ending('timed_out', tookTooLong(message, limits));
    case 'OL':
    case 'EL':
      return capped(status, 'code');
    case 'XX':
      throw gaveUp(message);
    default: {
      const signal = signalOf(stage);
      return { ...ending('exited'), signal, exit_code: signal === null ? code : null };
    }
  }
}

function endOfCompiler(stage: PistonStage): PistonEnd {
  const { code, status, message, signal } = stage;
  switch (status) {
    case 'TO':
      return ending('timed_out', 'The code was not run: compiling it took longer than Piston allows.');
    case 'OL':
    case 'EL':
      return capped(status, 'compiler');
    case 'XX':
      throw gaveUp(message);
    default: {
      const how = signal ? `was ended by ${signal}` : `exited with code ${code ?? 'unknown'}`;
      const stream = stage.stderr === '' ? 'stdout' : 'stderr';
      const said = `The code does not compile: the compiler ${how}; what it said is in ${stream}.`;
      return { ...ending('exited', said), signal, exit_code: signal === null ? code : null };
    }
  }
}

function ending(cause: ExitFrame['cause'], message?: string): PistonEnd {
  return { cause, exit_code: null, signal: null, told: { message, hints: [], truncated: false } };
}

/** Piston ends what writes more than it keeps, and drops the piece that was too much, whole. */
function capped(status: 'OL' | 'EL', who: 'code' | 'compiler'): PistonEnd {
  const stream = status === 'OL' ? 'stdout' : 'stderr';
  const message = `The ${who} was stopped: it wrote more to ${stream} than this Piston keeps (its output_max_size). Print less.`;
  const hint = `${stream} is not whole: what Piston dropped, it does not count, so ${stream}_bytes tells only what was kept.`;
  return { ...ending('exited'), signal: 'SIGKILL', told: { message, hints: [hint], truncated: true } };
}

function tookTooLong(message: string | null, { run_timeout }: AskedLimits): string {
  return message === 'Time limit exceeded'
    ? 'The code used more CPU time than Piston allows a run; what it had written is kept. Do less.'
    : `The code was stopped after its limit of ${run_timeout / 1000} s; what it had written is kept. Do less, or raise timeout_seconds as far as Piston allows.`;
}

function gaveUp(message: string | null): ServiceError {
  return new ServiceError(
    'piston_failed',
    `Piston could not run the code: ${message ?? 'it does not say why'}.`,
  );
}

function compilerHints(compile: PistonStage | undefined): string[] {
  const said = [compile?.stdout, compile?.stderr].join('').trim();
  if (said === '') return [];
  const more = said.length > mostCompilerWords ? ' …' : '';
  return [`The compiler said: ${said.slice(0, mostCompilerWords)}${more}`];
}

/** Piston gives texts, made of each piece of output by itself. */
function textHints({ stdout, stderr }: PistonStage): string[] {
  return (stdout + stderr).includes('\uFFFD')
    ? ['"\uFFFD" stands for bytes that are not UTF-8, and for characters that Piston cut in two.']
    : [];
}
