import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { startApp } from '../app.ts';
import { loadConfig } from '../config.ts';
import { frameBytes } from '../output/frame.ts';
import { executionRequest } from '../request/execution.ts';
import { newExecutionId } from '../request/execution-id.ts';
import { ServiceError } from '../result/errors.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import { interrupted } from './signals.ts';

/** Runs one file, its output live on this terminal. The exit code is the code's own; 128 + n after signal n. */
export async function runFile(path: string, args: string[]): Promise<number> {
  const config = { ...loadConfig(), pools: [], drainSeconds: 0.1, logLevel: 'silent' as const };
  const code = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ServiceError('invalid_request', `${path} cannot be read: ${String(error)}`);
  });
  const stdin = process.stdin.isTTY ? '' : await text(process.stdin);
  const parsed = executionRequest(config).safeParse({ code, args, stdin });
  if (!parsed.success) {
    throw new ServiceError('invalid_request', parsed.error.issues.map((issue) => issue.message).join('; '));
  }
  const interrupt = interrupted();
  const app = await startApp(config, () => null, interrupt.signal);
  try {
    const result = await app.service.execute(parsed.data, {
      executionId: newExecutionId(),
      signal: interrupt.signal,
      onEvent(event) {
        if (event.type === 'stdout' || event.type === 'stderr') process[event.type].write(frameBytes(event));
      },
    });
    for (const line of [...(result.status === 'succeeded' ? [] : [result.message]), ...result.hints]) {
      console.error(`vivarium: ${line}`);
    }
    return exitCode(result);
  } finally {
    await app.close();
    interrupt.forget();
  }
}

function exitCode(result: ExecutionResult): number {
  if (result.exit_code !== null) return result.exit_code;
  if (result.signal !== null)
    return 128 + ((constants.signals as Record<string, number>)[result.signal] ?? 0);
  if (result.status === 'timed_out') return 124; // as timeout(1) does
  if (result.status === 'cancelled') return 130;
  return 1;
}
