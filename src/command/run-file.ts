import { readFile, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { startApp, type App } from '../app.ts';
import { loadConfig, type Config } from '../config.ts';
import { frameBytes } from '../output/frame.ts';
import { executionRequest, type ExecutionRequest } from '../request/execution.ts';
import { newExecutionId } from '../request/execution-id.ts';
import { ServiceError } from '../result/errors.ts';
import type { ExecutionResult } from '../result/execution-result.ts';
import { signalNumber } from '../result/signal.ts';
import { describeArtifact } from '../serve/render.ts';
import { artifactPath } from './artifact-path.ts';
import type { RunArguments } from './run-arguments.ts';
import { saveArtifacts } from './save-artifacts.ts';
import { interrupted } from './signals.ts';

/** Runs one file, its output live on this terminal. The exit code is the code's own; 128 + n after signal n. */
export async function runFile(given: RunArguments): Promise<number> {
  const config = { ...loadConfig(), pools: [], drainSeconds: 0.1, logLevel: 'silent' as const };
  const request = await readRequest(given, config);
  const interrupt = interrupted();
  const app = await startApp(config, () => null, interrupt.signal);
  try {
    const result = await app.service.execute(request, {
      executionId: newExecutionId(),
      signal: interrupt.signal,
      onEvent(event) {
        if (event.type === 'stdout' || event.type === 'stderr') process[event.type].write(frameBytes(event));
        else if (event.type === 'building') console.error(`vivarium: ${event.message}`);
      },
    });
    const lines = [
      ...(result.status === 'succeeded' ? [] : [result.message]),
      ...(result.value && result.stdout_bytes === 0 ? [`value: ${result.value.text}`] : []),
      ...(await tellArtifacts(result, given.output, app, config, interrupt.signal)),
      ...result.hints,
    ];
    for (const line of lines) console.error(`vivarium: ${line}`);
    return exitCode(result);
  } finally {
    await app.close();
    interrupt.forget();
  }
}

async function readRequest(
  { file, args, mounts, requirements }: RunArguments,
  config: Config,
): Promise<ExecutionRequest> {
  const code = (await readLocal(file, Infinity)).toString('utf8');
  const stdin = process.stdin.isTTY ? '' : await text(process.stdin);
  const files: ExecutionRequest['files'] = [];
  for (const { path, source } of mounts) {
    files.push({ path, content_base64: (await readLocal(source, config.inputBytes)).toString('base64') });
  }
  const parsed = executionRequest(config).safeParse({ code, args, stdin, files, requirements });
  if (parsed.success) return parsed.data;
  throw new ServiceError('invalid_request', parsed.error.issues.map((issue) => issue.message).join('; '));
}

async function readLocal(path: string, maxBytes: number): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size <= maxBytes) return await readFile(path);
  } catch (error) {
    throw new ServiceError('invalid_request', `${path} cannot be read: ${String(error)}`);
  }
  throw new ServiceError('too_large', `${path} is longer than inputBytes, which is ${maxBytes}.`);
}

/** A line for each artifact: where it is, or why it is lost; why it is not in the folder, too. */
async function tellArtifacts(
  { artifacts }: ExecutionResult,
  output: string | undefined,
  { artifacts: store }: App,
  { artifactStore }: Config,
  signal: AbortSignal,
): Promise<string[]> {
  const saved = output === undefined ? undefined : await saveArtifacts(artifacts, output, store, signal);
  return artifacts.map((artifact) => {
    const { id } = artifact;
    const copy = saved?.get(artifact);
    if (id === null) return describeArtifact(artifact);
    const place = typeof copy === 'string' ? copy : (artifactPath(artifactStore, id) ?? id);
    const fault = copy instanceof Error ? ` (not in ${output}: ${copy.message})` : '';
    return `${describeArtifact(artifact)}: ${place}${fault}`;
  });
}

function exitCode(result: ExecutionResult): number {
  if (result.exit_code !== null) return result.exit_code;
  if (result.signal !== null) return 128 + signalNumber(result.signal);
  if (result.status === 'timed_out') return 124; // as timeout(1) does
  if (result.status === 'cancelled') return 130;
  return 1;
}
