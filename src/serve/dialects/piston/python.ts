import type { PistonStage } from '../../../piston/piston.ts';
import type { ExecutionRequest } from '../../../request/execution.ts';
import { newExecutionId } from '../../../request/execution-id.ts';
import type { Around } from '../../../schedule/run.ts';
import type { Behind } from '../dialect.ts';
import { createSaid } from '../said.ts';
import type { Asked, LimitName } from './ask.ts';
import type { Launched } from '../launch.ts';
import { programOf } from './program.ts';
import { Refusal } from './refusal.ts';
import { stageOf } from './stage.ts';

const MiB = 1_048_576;

/** Where a client names none, as in Piston (ms). */
const usualRunMs = 3000;
const compileMs = 10_000;
const leastMemoryMb = 64;

export interface PythonSettings {
  maxTimeoutSeconds: number;
  maxMemoryMb: number;
}

/** The most of each limit. */
export function pythonLimits({ maxTimeoutSeconds, maxMemoryMb }: PythonSettings): Record<LimitName, number> {
  const runMs = maxTimeoutSeconds * 1000;
  return {
    compile_memory_limit: maxMemoryMb * MiB,
    run_memory_limit: maxMemoryMb * MiB,
    compile_timeout: compileMs,
    run_timeout: runMs,
    compile_cpu_time: compileMs,
    run_cpu_time: runMs,
  };
}

/** Runs Python in sandboxes of this server. Throws Refusal, and what `execute` does. */
export function pythonRunner({
  service,
  requestSchema,
  settings,
}: Pick<Behind, 'service' | 'requestSchema' | 'settings'>) {
  const most = pythonLimits(settings);

  function requestOf({ stdin, args, limits }: Asked, { code }: Launched): ExecutionRequest {
    const { run_timeout = Math.min(usualRunMs, most.run_timeout), run_memory_limit } = limits;
    const memory_mb = run_memory_limit && Math.max(leastMemoryMb, Math.ceil(run_memory_limit / MiB));
    const parsed = requestSchema.safeParse({
      code,
      stdin,
      args,
      timeout_seconds: run_timeout / 1000,
      ...(memory_mb !== undefined && { limits: { memory_mb } }),
    });
    if (!parsed.success) throw new Refusal(parsed.error.issues.map(({ message }) => message).join('; '));
    return parsed.data;
  }

  return async (asked: Asked, caller: string, signal: AbortSignal): Promise<PistonStage> => {
    const program = programOf(asked.files);
    const said = createSaid();
    const result = await service.execute(requestOf(asked, program), {
      executionId: newExecutionId(),
      caller,
      signal,
      artifacts: false,
      onEvent: said.see,
      ...(program.files.length > 0 && { around: placing(program.files) }),
    });
    return stageOf(result, said.read());
  };
}

function placing(placed: Launched['files']): Around {
  return {
    async before(files, signal) {
      for (const { path, bytes } of placed) await files.write(path, bytes, signal);
    },
    after: () => Promise.resolve(),
  };
}
