import type { ExitFrame, Frame } from '../output/frame.ts';
import { loweredHints, type WithinLimits } from '../piston/limits.ts';
import type { Piston, PistonJob, PistonRuntime } from '../piston/piston.ts';
import { findRuntime } from '../piston/runtimes.ts';
import { isPython } from '../request/language.ts';
import { ServiceError } from '../result/errors.ts';
import {
  type Claim,
  type InputChunk,
  type Program,
  type Sandbox,
  SandboxLost,
  type WorkspaceFiles,
} from '../schedule/backend.ts';
import type { TakeElsewhere } from '../schedule/sandboxes.ts';
import { stopReason } from '../schedule/stop.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { endOf, type PistonAnswer } from './piston-ending.ts';

const MiB = 1_048_576;

type Upstream = Pick<Piston, 'runtimes' | 'executeWithinLimits'>;
type PistonFile = PistonJob['files'][number];

/** A job that says what it may have. */
type Bounded = PistonJob & { run_timeout: number; run_memory_limit: number };

/** The limits by their names in a request. */
const called = { run_timeout: 'timeout_seconds', run_memory_limit: 'limits.memory_mb' };

/** Runs on a Piston, as sandboxes that yield the frames that an agent would. */
export function createPistonSandboxes(piston: Upstream): TakeElsewhere {
  return async (asked, signal) => pistonSandbox(piston, await findLanguage(piston, asked, signal));
}

/** What Piston has by a name or alias, in capitals or not: its newest. */
async function findLanguage(piston: Upstream, asked: string, signal: AbortSignal): Promise<PistonRuntime> {
  const runtimes = await piston.runtimes(signal);
  const others = runtimes.filter(({ language }) => !isPython(language));
  const found = findRuntime(others, asked) ?? findRuntime(others, asked.toLowerCase());
  if (found) return found;
  const names = [...new Set(['python', ...others.map(({ language }) => language)])];
  throw new ServiceError(
    'invalid_request',
    `language: there is no "${asked}" here; there are: ${names.join(', ')}.`,
  );
}

function pistonSandbox(piston: Upstream, runtime: PistonRuntime): Sandbox {
  const written = new Map<string, Uint8Array>();
  let going: Promise<WithinLimits<Bounded>> | undefined;
  return {
    placedAt: performance.now(),
    gone: new AbortController().signal,
    preload: () => Promise.resolve({}),
    async *run(claim, program, signal) {
      const asked = await jobOf(runtime, claim, program, written);
      yield { seq: 0, type: 'started', execution_id: claim.executionId };
      const began = performance.now();
      going = piston.executeWithinLimits(asked);
      const { outcome, sent } = await unlessAborted(going, signal).catch((error: unknown) => {
        throw signal.aborted ? left(signal) : error;
      });
      if ('refused' in outcome)
        throw new ServiceError('piston_failed', `Piston refuses the run: ${outcome.refused}.`);
      const elapsed = (performance.now() - began) / 1000;
      yield* framesOf(outcome.answer, sent, elapsed, loweredHints(asked, sent, called));
    },
    files: filesBefore(written),
    // The run has its place for as long as Piston has its job, whoever left.
    async dispose() {
      await going?.catch(() => undefined);
    },
  };
}

/** Piston answers once, at the end: who leaves before that has nothing, and the job goes on to its limits. */
function left(signal: AbortSignal): SandboxLost {
  return new SandboxLost(
    'cancelled',
    `${stopReason(signal)}; what it had written is lost, and Piston goes on with it to its limits.`,
  );
}

/** The code comes first and is the only text: a Piston runs the first text and hands the names of texts to compilers. */
async function jobOf(
  { language, version }: PistonRuntime,
  { limits }: Claim,
  { code, stdin, args, files }: Program,
  written: ReadonlyMap<string, Uint8Array>,
): Promise<Bounded> {
  const inputs = await gather(files);
  const all = [...[...written].map(([name, bytes]) => asFile(name, bytes)), ...inputs];
  return {
    language,
    version,
    files: [{ content: code }, ...all],
    stdin,
    args,
    run_timeout: limits.seconds * 1000,
    run_memory_limit: limits.memory_mb * MiB,
  };
}

async function gather(files: Program['files']): Promise<PistonFile[]> {
  const chunks = new Map<string, InputChunk['bytes'][]>();
  for await (const { path, bytes } of files) {
    const before = chunks.get(path);
    if (before) before.push(bytes);
    else chunks.set(path, [bytes]);
  }
  return [...chunks].map(([path, pieces]) => asFile(`mounts/${path}`, Buffer.concat(pieces)));
}

function asFile(name: string, bytes: Uint8Array): PistonFile {
  return { name, content: Buffer.from(bytes).toString('base64'), encoding: 'base64' };
}

/** The frames that an agent would have written. `sent` is what Piston held the program to. */
function* framesOf(
  answer: PistonAnswer,
  sent: Bounded,
  elapsedSeconds: number,
  lowered: string[],
): Generator<Frame, void> {
  const { stage, end } = endOf(answer, sent);
  const { stdout, stderr, wall_time } = stage;
  yield { seq: 1, type: 'stdout', text: stdout };
  yield { seq: 2, type: 'stderr', text: stderr };
  yield {
    seq: 3,
    type: 'exit',
    ...end,
    told: { ...end.told, hints: [...lowered, ...end.told.hints] },
    stdout_bytes: Buffer.byteLength(stdout),
    stderr_bytes: Buffer.byteLength(stderr),
    ran_seconds: wall_time === null ? elapsedSeconds : wall_time / 1000,
    kept: false,
    files: 0,
    left_out: 0,
  } satisfies ExitFrame;
}

/** What is written goes along with the program; of what the program writes itself, Piston gives nothing back. */
function filesBefore(written: Map<string, Uint8Array>): WorkspaceFiles {
  return {
    write(path, bytes) {
      written.set(path, bytes);
      return Promise.resolve();
    },
    list: () => Promise.resolve({ entries: [], left_out: 0 }),
    read: (path) =>
      Promise.reject(
        new ServiceError('file_not_found', `There is no ${path}: programs on Piston leave no files behind.`),
      ),
  };
}
