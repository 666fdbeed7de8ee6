import { type Config, surroundings } from '../config.ts';
import type { Frame } from '../output/frame.ts';
import { ServiceError } from '../result/errors.ts';
import {
  type Backend,
  type Claim,
  type Sandbox,
  SandboxLost,
  type SandboxSpec,
  type Trace,
} from '../schedule/backend.ts';
import { bubblewrapArguments, installAgent, missingPrograms } from './bubblewrap.ts';
import { agentLimits } from './conversation.ts';
import { folderRecords } from './environment-records-local.ts';
import { environmentsFolder, localBuilder } from './local-builder.ts';
import { startChild } from './local-child.ts';
import { localSessions } from './local-sessions.ts';
import { isTheirs, localTraces } from './local-traces.ts';
import { createTalk } from './talk.ts';

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
  const traces = localTraces(config.retentionSeconds);

  async function open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    signal.throwIfAborted();
    const threads = Math.max(1, Math.ceil(spec.kind.cpu));
    const folders = {
      agent: agent.folder,
      environments,
      builder: spec.build ? builder.files() : undefined,
    };
    const child = await startChild(bubblewrapArguments(folders, config.workspaceMb, threads), isRoot);
    // What a builder writes goes to the folder of environments.
    const settings = spec.build ? { ...config, workspaceMb: config.environmentMb } : config;
    const talk = createTalk(child.wire);
    return {
      placedAt: performance.now(),
      gone: child.wire.gone,
      files: talk.files,
      preload: (modules, preloadSignal) => talk.preload(modules, preloadSignal),
      async *run(claim, program, runSignal) {
        const { executionId, limits } = claim;
        const ended = new AbortController();
        const trace = traces.begin(claim);
        live.set(executionId, {
          claim,
          end: (lost) => {
            ended.abort(lost);
          },
        });
        const memoryBytes = limits.memory_mb * 1_048_576;
        const agents = agentLimits(limits, settings, memoryBytes, program);
        const stop = AbortSignal.any([runSignal, ended.signal]);
        try {
          yield* talk.run(claim, program, agents, stop, recordIn(trace));
        } catch (error) {
          if (stop.aborted) trace.lost = new SandboxLost('cancelled', 'The run was cancelled.');
          else if (error instanceof SandboxLost) trace.lost = error;
          throw error;
        } finally {
          live.delete(executionId);
          traces.end(trace);
        }
      },
      dispose: () => child.kill(),
    };
  }

  return {
    name: 'local',
    open,
    ...localSessions(open, config.replicaName),
    environments: environments === undefined ? undefined : folderRecords(environments),
    find: (executionId, caller) => Promise.resolve(traces.find(executionId, caller)),
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

/** Keeps frames but those of files: they are no part of the record. */
function recordIn({ frames }: Trace): (frame: Frame) => void {
  let kind: string | undefined;
  return (frame) => {
    if (frame.type === 'file') kind = frame.kind;
    if (frame.type !== 'data' || kind === 'text' || kind === 'html') frames.push(frame);
  };
}
