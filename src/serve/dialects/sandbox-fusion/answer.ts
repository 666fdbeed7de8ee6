import { ranOutOfMemory, signalOf } from '../../../piston/bash.ts';
import type { PistonStage } from '../../../piston/piston.ts';
import { describeError } from '../../../result/errors.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import { signalNumber } from '../../../result/signal.ts';
import { notesOf, withLines } from '../notes.ts';

export interface CommandResult {
  status: 'Finished' | 'Error' | 'TimeLimitExceeded';
  execution_time: number | null;
  return_code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunCodeAnswer {
  status: 'Success' | 'Failed' | 'SandboxError';
  message: string;
  compile_result: CommandResult | null;
  run_result: CommandResult | null;
  executor_pod_name: string | null;
  files: Record<string, string>;
}

/** What the commands of a request come to. */
export function answerOf(
  compile_result: CommandResult | null,
  run_result: CommandResult | null,
  files: Record<string, string> = {},
): RunCodeAnswer {
  const commands = [compile_result, run_result].filter((each) => each !== null);
  const broken = commands.find(({ status }) => status === 'Error');
  const isFine = commands.every(({ status, return_code }) => status === 'Finished' && return_code === 0);
  return {
    status: broken ? 'SandboxError' : isFine ? 'Success' : 'Failed',
    message: broken?.stderr ?? '',
    compile_result,
    run_result,
    executor_pod_name: null,
    files,
  };
}

/** A run that was not. */
export function sandboxError(error: unknown): RunCodeAnswer {
  const { message, hint } = describeError(error).body.error;
  return {
    status: 'SandboxError',
    message: `${message} ${hint}`,
    compile_result: null,
    run_result: null,
    executor_pod_name: null,
    files: {},
  };
}

/** A run in a sandbox as a command. Its code is negative where a signal has ended it. */
export function commandOf(result: ExecutionResult, lost: readonly string[]): CommandResult {
  const { status, stdout, stderr, exit_code, signal, timings } = result;
  return {
    status: statusOf(status),
    execution_time: timings.ran,
    return_code: status === 'out_of_memory' ? -9 : signal === null ? exit_code : -signalNumber(signal),
    stdout,
    stderr: withLines(stderr, notesOf({ ...result, signal: null }, lost)), // return_code tells the signal
  };
}

function statusOf(status: ExecutionResult['status']): CommandResult['status'] {
  switch (status) {
    case 'succeeded':
    case 'failed':
    case 'out_of_memory':
      return 'Finished';
    case 'timed_out':
      return 'TimeLimitExceeded';
    case 'cancelled':
    case 'evicted':
    case 'node_lost':
    case 'unknown':
      return 'Error';
  }
}

/** What Piston held a stage to. */
export interface StageLimits {
  /** Undefined for no limit. */
  memoryBytes: number | undefined;
  /** The limits that were lowered, a line each. */
  lowered: readonly string[];
}

/** A stage of a Piston as a command. Its code is negative where a signal has ended it. */
export function commandOfStage(stage: PistonStage, { memoryBytes, lowered }: StageLimits): CommandResult {
  const { status, code, stdout, stderr, message, wall_time } = stage;
  const isLate = status === 'TO';
  const isBroken = status === 'XX';
  const isCut = status === 'OL' || status === 'EL';
  const isTooLarge = memoryBytes !== undefined && ranOutOfMemory(stage, memoryBytes);
  const signal = isLate ? null : signalOf(stage);
  const notes = [
    ...((isCut || isBroken) && message !== null ? [message] : []),
    ...(isTooLarge ? ['The program used more memory than it may.'] : []),
    ...(isLate || isTooLarge ? lowered : []),
  ];
  return {
    status: isLate ? 'TimeLimitExceeded' : isBroken ? 'Error' : 'Finished',
    execution_time: wall_time === null ? null : wall_time / 1000,
    return_code: isLate || isBroken ? null : signal === null ? code : -signalNumber(signal),
    stdout,
    stderr: withLines(stderr, notes),
  };
}
