import type { ExecutionRequest } from '../../request/execution.ts';
import { newExecutionId } from '../../request/execution-id.ts';
import type { ExecutionResult } from '../../result/execution-result.ts';
import type { Behind } from './dialect.ts';
import { createExchange, type Leaving, type Placed } from './exchange.ts';
import { beside, type Interpreter } from './launch.ts';

/** What a program finds, and what becomes of what it leaves behind. */
export interface FilesOfRun extends Pick<Leaving, 'recursive' | 'keep'> {
  placed: readonly Placed[];
  /** Of the sandbox; undefined where the program runs elsewhere. */
  interpreter: Interpreter | undefined;
}

/** Who asked, and for how long somebody waits. */
export interface Call {
  caller: string;
  /** Correlates a cancellation that reaches another replica. */
  requestKey?: string;
  signal: AbortSignal;
}

/** A run with files of its client in its working directory. `lost` are those that it left and that are not kept. Throws ServiceError. */
export async function runWithFiles(
  { service, settings }: Pick<Behind, 'service' | 'settings'>,
  request: ExecutionRequest,
  { placed, interpreter, recursive, keep }: FilesOfRun,
  { caller, requestKey, signal }: Call,
): Promise<{ result: ExecutionResult; lost: readonly string[] }> {
  const { code } = request;
  const program = interpreter ? beside(placed, code, interpreter) : { code, files: placed };
  const exchange = createExchange(placed, program.files, {
    recursive,
    keep,
    maxFiles: settings.inputFiles,
    maxFileBytes: settings.inputBytes,
    maxBytes: settings.artifactBytes,
  });
  const result = await service.execute(
    { ...request, code: program.code },
    {
      executionId: newExecutionId(),
      caller,
      ...(requestKey !== undefined && { requestKey }),
      signal,
      around: exchange,
      artifacts: false,
    },
  );
  return { result, lost: exchange.lost };
}
