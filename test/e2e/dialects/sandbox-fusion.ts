/** The SDK of SandboxFusion, which throws where the sandbox failed. */
import { bodyOf, postJson, type Told } from './ask.ts';

export interface CommandRan {
  status: 'Finished' | 'Error' | 'TimeLimitExceeded';
  execution_time: number | null;
  return_code: number | null;
  stdout: string | null;
  stderr: string | null;
}

export interface CodeRan {
  status: 'Success' | 'Failed' | 'SandboxError';
  message: string;
  compile_result: CommandRan | null;
  run_result: CommandRan | null;
  executor_pod_name: string | null;
  files: Record<string, string>;
}

export class SandboxError extends Error {
  override name = 'SandboxError';
}

export interface Fusion {
  run(request: { code: string; language?: string } & Record<string, unknown>): Promise<CodeRan>;
  post<T = { detail: unknown }>(body: unknown): Promise<Told<T>>;
}

export function sandboxFusion(endpoint: string): Fusion {
  const post: Fusion['post'] = (body) => postJson(`${endpoint}/run_code`, body);
  return {
    post,
    async run(request) {
      const defaults = { compile_timeout: 10, run_timeout: 10, language: 'python', stdin: null };
      const ran = bodyOf(
        await post<CodeRan>({ ...defaults, files: {}, fetch_files: [], args: [], ...request }),
      );
      if (ran.status === 'SandboxError') throw new SandboxError(ran.message);
      return ran;
    },
  };
}
