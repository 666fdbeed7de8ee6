import type { Frame } from '../../../src/output/frame.ts';
import type {
  Backend,
  Claim,
  Program,
  Sandbox,
  SandboxSpec,
  Trace,
  WorkspaceFiles,
} from '../../../src/schedule/backend.ts';

export interface FakeBackend extends Backend {
  /** What was asked for, and what became of it. */
  opened: SandboxSpec[];
  claims: Claim[];
  programs: Program[];
  disposed: number;
  cancelled: object[];
}

/** A backend whose sandboxes do what a test says. */
export function fakeBackend(
  behaviour: {
    open?: (spec: SandboxSpec, signal: AbortSignal) => Promise<void>;
    placedAt?: () => number;
    frames?: (program: Program, signal: AbortSignal) => AsyncGenerator<Frame, void>;
    dispose?: () => Promise<void>;
    find?: (executionId: string) => Trace | undefined;
    cancel?: () => number;
    ready?: Backend['ready'];
  } = {},
): FakeBackend {
  const made: FakeBackend = {
    name: 'local',
    environments: undefined,
    opened: [],
    claims: [],
    programs: [],
    disposed: 0,
    cancelled: [],
    async open(spec, signal): Promise<Sandbox> {
      made.opened.push(spec);
      await behaviour.open?.(spec, signal);
      return {
        placedAt: behaviour.placedAt?.() ?? performance.now(),
        gone: new AbortController().signal,
        preload: () => Promise.resolve({}),
        files: noFiles,
        async *run(claim, program, runSignal) {
          made.claims.push(claim);
          made.programs.push(program);
          if (behaviour.frames) yield* behaviour.frames(program, runSignal);
        },
        async dispose() {
          await behaviour.dispose?.();
          made.disposed += 1;
        },
      };
    },
    openSession: () => Promise.reject(new Error('no sessions')),
    findSession: () => Promise.resolve(undefined),
    sessionsOf: () => Promise.resolve([]),
    sessionOwners: () => Promise.resolve([]),
    find: (executionId) => Promise.resolve(behaviour.find?.(executionId)),
    cancel(by) {
      made.cancelled.push(by);
      return Promise.resolve(behaviour.cancel?.() ?? 0);
    },
    ready: behaviour.ready ?? (() => ({ ok: true })),
    close: () => Promise.resolve(),
  };
  return made;
}

/** The workspace of a sandbox that nobody looks into. */
export const noFiles: WorkspaceFiles = {
  write: () => Promise.reject(new Error('no files')),
  list: () => Promise.reject(new Error('no files')),
  read: () => Promise.reject(new Error('no files')),
};

/** Yields frames one after the other. */
export async function* emit(frames: Frame[]): AsyncGenerator<Frame, void> {
  for (const frame of frames) yield await Promise.resolve(frame);
}

/** Yields frames, and then waits for the run to be aborted. */
export async function* hang(frames: Frame[], signal: AbortSignal): AsyncGenerator<Frame, void> {
  yield* emit(frames);
  signal.throwIfAborted();
  await aborted(signal);
}

/** Rejects with the signal's reason. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}
