import type { PistonStage } from '../../../piston/piston.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import { signalNumber } from '../../../result/signal.ts';

/** What bash says of a program that a signal has ended. It is silent about the others. */
const sayings: Record<string, string> = {
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGHUP: 'Hangup',
  SIGILL: 'Illegal instruction',
  SIGKILL: 'Killed',
  SIGSEGV: 'Segmentation fault',
  SIGSYS: 'Bad system call',
  SIGTERM: 'Terminated',
  SIGTRAP: 'Trace/breakpoint trap',
  SIGXFSZ: 'File size limit exceeded',
};

type End = Pick<PistonStage, 'signal' | 'code' | 'message' | 'status'> & { said?: string };

/** A result as the stage of a Piston. `output` is both streams in the order in which they came. */
export function stageOf(result: ExecutionResult, output: string): PistonStage {
  const { said = '', signal, code, message, status } = endOf(result);
  const ran = result.timings.ran;
  return {
    signal,
    stdout: result.stdout,
    stderr: result.stderr + said,
    code,
    output: output + said,
    memory: null,
    message,
    status,
    cpu_time: null,
    wall_time: ran === null ? null : Math.round(ran * 1000),
  };
}

/** All keys of a stage, in Piston's order. */
export function inOrder(stage: PistonStage): PistonStage {
  const { signal, stdout, stderr, code, output, memory, message, status, cpu_time, wall_time } = stage;
  return { signal, stdout, stderr, code, output, memory, message, status, cpu_time, wall_time };
}

function endOf(result: ExecutionResult): End {
  if (isCut(result, 'stdout')) return stopped('OL', 'stdout length exceeded');
  if (isCut(result, 'stderr')) return stopped('EL', 'stderr length exceeded');
  switch (result.status) {
    case 'succeeded':
      return { signal: null, code: 0, message: null, status: null };
    case 'failed':
      return failed(result);
    case 'out_of_memory':
      // A program may hear of it, and end by itself.
      return result.exit_code === null ? failed({ ...result, signal: 'SIGKILL' }) : failed(result);
    case 'timed_out':
      return stopped('TO', 'Time limit exceeded (wall clock)');
    case 'cancelled':
    case 'evicted':
    case 'node_lost':
    case 'unknown':
      return { signal: null, code: null, message: result.message, status: 'XX' };
  }
}

function failed({ exit_code, signal }: ExecutionResult): End {
  if (signal === null) return exited(exit_code ?? 1);
  const saying = sayings[signal];
  return exited(128 + signalNumber(signal), saying && `${saying}\n`);
}

/** A program under bash ends with a code, whatever ended it. */
function exited(code: number, said = ''): End {
  return { signal: null, code, message: `Exited with error status ${code}`, status: 'RE', said };
}

function stopped(status: 'TO' | 'OL' | 'EL', message: string): End {
  return { signal: 'SIGKILL', code: null, message, status };
}

/** Whether the program wrote more than is kept. */
function isCut(result: ExecutionResult, stream: 'stdout' | 'stderr'): boolean {
  const base64 = result[`${stream}_base64`];
  const kept = base64 === null ? Buffer.byteLength(result[stream]) : Buffer.byteLength(base64, 'base64');
  return result[`${stream}_bytes`] > kept;
}
