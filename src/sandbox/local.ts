import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { type Config, surroundings } from '../config.ts';
import { type Frame, isLast } from '../output/frame.ts';
import { ServiceError } from '../result/errors.ts';
import {
  type Backend,
  builds,
  type Claim,
  type Program,
  type Sandbox,
  SandboxLost,
  type SandboxSpec,
  type Trace,
} from '../schedule/backend.ts';
import { bubblewrapArguments, installAgent, missingPrograms, nobody } from './bubblewrap.ts';
import {
  agentLimits,
  type AgentSettings,
  createGuard,
  fileLine,
  helloLine,
  readFrames,
  readReady,
  requestLine,
} from './conversation.ts';
import { folderRecords } from './environment-records-local.ts';
import { environmentsFolder, localBuilder } from './local-builder.ts';

/** Ended runs that can still be asked for. */
const keptTraces = 32;

/** Sandboxes as processes under bubblewrap, for a machine without a cluster. Throws ServiceError if it lacks a program. */
export function createLocalBackend(config: Config): Backend {
  const missing = missingPrograms();
  if (missing.length > 0) {
    const packages = missing.map((program) => program.package).join(' ');
    throw new ServiceError(
      'sandbox_failed',
      `The local sandbox needs ${missing.map(({ path }) => path).join(' and ')}. On Debian and Ubuntu: apt-get install -y ${packages}`,
    );
  }
  const isRoot = process.getuid?.() === 0;
  const agent = installAgent(isRoot);
  const { searchPath, certificates } = surroundings();
  const builder = localBuilder({ searchPath, certificates, index: config.packageIndexCredentials }, isRoot);
  const environments = environmentsFolder(config.environmentsFolder, isRoot);
  const live = new Map<string, { claim: Claim; end: (lost: SandboxLost) => void }>();
  const traces = new Map<string, Trace & { caller: string }>();

  function keep(trace: Trace & { caller: string }): void {
    traces.set(trace.executionId, trace);
    const [oldest] = [...traces.keys()].filter((id) => !live.has(id));
    if (traces.size > keptTraces && oldest !== undefined) traces.delete(oldest);
    if (config.retentionSeconds === 0) traces.delete(trace.executionId);
  }

  async function open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    signal.throwIfAborted();
    const threads = Math.max(1, Math.ceil(spec.kind.cpu));
    const folders = {
      agent: agent.folder,
      environments,
      builder: spec.build ? builder.files() : undefined,
    };
    const child = spawn('/usr/bin/bwrap', bubblewrapArguments(folders, config.workspaceMb, threads), {
      ...(isRoot && { uid: nobody, gid: nobody }),
    });
    const gone = new AbortController();
    const closed = new Promise<void>((resolve) =>
      child.once('close', () => {
        gone.abort(new Error('The sandbox ended.'));
        resolve();
      }),
    );
    await once(child, 'spawn').catch((error: unknown) => {
      throw new ServiceError('sandbox_failed', `bubblewrap cannot be started: ${String(error)}`, {
        cause: error,
      });
    });
    child.stdin.on('error', () => undefined); // the sandbox ended before it read all: stdout says so
    let trace: (Trace & { caller: string }) | undefined;
    return {
      placedAt: performance.now(),
      gone: gone.signal,
      async preload(modules, preloadSignal) {
        child.stdin.write(helloLine(modules));
        return readReady(stdout(child, preloadSignal));
      },
      run(claim, program, runSignal) {
        const { executionId, limits } = claim;
        const ended = new AbortController();
        trace = { executionId, caller: claim.caller, limits, frames: [], lost: undefined };
        traces.set(executionId, trace);
        live.set(executionId, {
          claim,
          end: (lost) => {
            ended.abort(lost);
          },
        });
        // What a builder writes goes to the folder of environments.
        const settings = spec.build ? { ...config, workspaceMb: config.environmentMb } : config;
        return runIn(child, claim, settings, program, trace, AbortSignal.any([runSignal, ended.signal]));
      },
      async dispose() {
        child.kill('SIGKILL');
        child.stdout.resume(); // it is closed only once it was read to its end
        await closed;
        if (!trace) return;
        live.delete(trace.executionId);
        keep(trace);
      },
    };
  }

  return {
    name: 'local',
    open,
    environments: environments === undefined ? undefined : folderRecords(environments),
    find(executionId, caller) {
      const found = traces.get(executionId);
      return Promise.resolve(found && isTheirs(found.caller, caller) ? found : undefined);
    },
    cancel(by) {
      const found = [...live].filter(([id, { claim }]) =>
        'executionId' in by
          ? id === by.executionId && isTheirs(claim.caller, by.caller)
          : claim.requestKey === by.requestKey,
      );
      for (const [, run] of found) run.end(new SandboxLost('cancelled', 'The run was cancelled.'));
      return Promise.resolve(found.length);
    },
    ready: () => ({ ok: true }),
    close() {
      agent.remove();
      builder.remove();
      return Promise.resolve();
    },
  };
}

function isTheirs(owner: string, caller: string): boolean {
  return caller === '' ? owner !== builds : owner === caller;
}

async function* runIn(
  child: ChildProcessWithoutNullStreams,
  { executionId, limits }: Claim,
  settings: AgentSettings,
  program: Program,
  trace: Trace,
  callerSignal: AbortSignal,
): AsyncGenerator<Frame, void> {
  const words = lastWords(child);
  for await (const chunk of program.files) {
    await write(child, fileLine(chunk), callerSignal);
    if (callerSignal.aborted) break;
  }
  const guard = createGuard(limits);
  const signal = AbortSignal.any([callerSignal, guard.overdue]);
  let last: Frame | undefined;
  let kind: string | undefined;
  try {
    signal.throwIfAborted();
    const agents = agentLimits(limits, settings, limits.memory_mb * 1_048_576);
    child.stdin.write(requestLine(executionId, program, agents));
    const sources = [{ bytes: stdout(child, signal), fromStart: true }];
    yield* readFrames(
      () => Promise.resolve(sources.shift()),
      (frame) => {
        if (frame.type === 'exit') guard.collects();
        if (frame.type === 'file') kind = frame.kind;
        // The files themselves are no part of the record.
        if (frame.type !== 'data' || kind === 'text' || kind === 'html') trace.frames.push(frame);
        last = frame;
      },
    );
    signal.throwIfAborted();
    if (!last || !isLast(last))
      throw new SandboxLost('unknown', `The sandbox ended and did not say why. ${words()}`.trim());
  } catch (error) {
    if (callerSignal.aborted) trace.lost = new SandboxLost('cancelled', 'The run was cancelled.');
    callerSignal.throwIfAborted();
    const lost = guard.overdue.aborted
      ? new SandboxLost('timed_out', 'The sandbox did not end by itself at its limit, and was ended.')
      : error;
    if (lost instanceof SandboxLost) trace.lost = lost;
    throw lost;
  } finally {
    guard.end();
  }
}

/** Resolves once the pipe takes more, or the signal is aborted. A sandbox that has ended takes everything: its stdout says so. */
export async function write(
  { stdin }: Pick<ChildProcessWithoutNullStreams, 'stdin'>,
  bytes: Buffer,
  runSignal: AbortSignal,
): Promise<void> {
  if (stdin.destroyed || stdin.write(bytes) || runSignal.aborted) return;
  const written = new AbortController();
  const signal = AbortSignal.any([runSignal, written.signal]);
  try {
    await Promise.race(['drain', 'close'].map((event) => once(stdin, event, { signal })));
  } catch {
    // Aborted, or a pipe that broke.
  } finally {
    // Or what did not come would be listened for until the pipe is closed.
    written.abort();
  }
}

/** What the agent writes from here on; the signal ends it. Leaves the stream open for the next reader. */
async function* stdout(child: ChildProcessWithoutNullStreams, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      signal.throwIfAborted();
      yield chunk as Buffer;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The end of what bubblewrap or the agent said on stderr. */
function lastWords(child: ChildProcessWithoutNullStreams): () => string {
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-500)));
  return () => text.trim();
}
