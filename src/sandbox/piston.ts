import type { ExitFrame, Frame } from '../output/frame.ts';
import type { Piston, PistonJob } from '../piston/piston.ts';
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
import { endOf, type PistonAnswer } from './piston-ending.ts';
import { type Bounded, createPistonLimits, loweredHints } from './piston-limits.ts';

const MiB = 1_048_576;

type Upstream = Pick<Piston, 'runtimes' | 'execute'>;
type PistonFile = PistonJob['files'][number];

/** Runs on a Piston, as sandboxes that yield the frames that an agent would. */
export function createPistonSandboxes(piston: Upstream): TakeElsewhere {
  const limits = createPistonLimits();
  return async (asked, signal) => {
    const language = await findLanguage(piston, asked, signal);
    return pistonSandbox(
      (job, runSignal) => limits.execute(job, (each) => piston.execute(each, runSignal)),
      language,
    );
  };
}

type Execute = (
  job: Bounded,
  signal: AbortSignal,
) => ReturnType<ReturnType<typeof createPistonLimits>['execute']>;

/** What Piston calls a language. Aliases and capitals are all the same. */
async function findLanguage(piston: Upstream, asked: string, signal: AbortSignal): Promise<string> {
  const runtimes = await piston.runtimes(signal);
  const others = runtimes.filter(({ language }) => !isPython(language));
  const wanted = asked.toLowerCase();
  const found = others.find(({ language, aliases }) =>
    [language, ...aliases].some((name) => name.toLowerCase() === wanted),
  );
  if (found) return found.language;
  const names = [...new Set(['python', ...others.map(({ language }) => language)])];
  throw new ServiceError(
    'invalid_request',
    `language: there is no "${asked}" here; there are: ${names.join(', ')}.`,
  );
}

function pistonSandbox(execute: Execute, language: string): Sandbox {
  const written = new Map<string, Uint8Array>();
  return {
    placedAt: performance.now(),
    gone: new AbortController().signal,
    preload: () => Promise.resolve({}),
    async *run(claim, program, signal) {
      const asked = await jobOf(language, claim, program, written);
      yield { seq: 0, type: 'started', execution_id: claim.executionId };
      const began = performance.now();
      const { outcome, sent } = await execute(asked, signal).catch((error: unknown) => {
        throw signal.aborted ? left(signal) : error;
      });
      if ('refused' in outcome)
        throw new ServiceError('piston_failed', `Piston refuses the run: ${outcome.refused}.`);
      const elapsed = (performance.now() - began) / 1000;
      yield* framesOf(outcome.answer, sent, elapsed, loweredHints(asked, sent));
    },
    files: filesBefore(written),
    dispose: () => Promise.resolve(),
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
  language: string,
  { limits }: Claim,
  { code, stdin, args, files }: Program,
  written: ReadonlyMap<string, Uint8Array>,
): Promise<Bounded> {
  const inputs = await gather(files);
  const all = [...[...written].map(([name, bytes]) => asFile(name, bytes)), ...inputs];
  return {
    language,
    version: '*',
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
