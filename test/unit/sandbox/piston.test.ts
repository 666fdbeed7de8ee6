import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../src/output/frame.ts';
import { createPistonLimits } from '../../../src/piston/limits.ts';
import type { PistonJob, PistonOutcome, PistonRuntime } from '../../../src/piston/piston.ts';
import type { Claim, Program } from '../../../src/schedule/backend.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import { createPistonSandboxes } from '../../../src/sandbox/piston.ts';
import { stops } from '../../../src/schedule/stop.ts';
import { recorded } from '../../piston/replay.ts';

const patient = new AbortController().signal;
const runtimes: PistonRuntime[] = [
  { language: 'bash', version: '5.2.0', aliases: ['sh'] },
  { language: 'c++', version: '10.2.0', aliases: ['cpp', 'g++'], runtime: 'gcc' },
  { language: 'python', version: '3.10.0', aliases: ['py'] },
  { language: 'javascript', version: '1.32.3', aliases: ['deno-js'], runtime: 'deno' },
  { language: 'javascript', version: '18.15.0', aliases: ['node-js'], runtime: 'node' },
];
const claim: Claim = {
  executionId: 'one',
  caller: '',
  requestKey: undefined,
  limits: { seconds: 30, cpu: 1, memory_mb: 512 },
};
const program: Program = {
  code: 'echo 1',
  stdin: 'in',
  args: ['a'],
  env: {},
  files: [],
  environment: null,
  mode: 'single',
};
const ok = JSON.parse(
  recorded.find(({ name }) => name === 'alias in, language out')?.response.body ?? '',
) as Extract<PistonOutcome, { answer: unknown }>['answer'];

type Execute = (job: PistonJob) => Promise<PistonOutcome>;

/** A Piston that answers as a test says. `jobs` is what it was asked. */
function upstream(execute: Execute = () => Promise.resolve({ answer: ok })) {
  const jobs: PistonJob[] = [];
  const take = createPistonSandboxes({
    runtimes: () => Promise.resolve(runtimes),
    executeWithinLimits: createPistonLimits((job) => {
      jobs.push(job);
      return execute(job);
    }),
  });
  return { jobs, take };
}

async function framesOf(run: AsyncIterable<Frame>): Promise<Frame[]> {
  return Array.fromAsync(run);
}

/** Limits as a Piston has them, which says so one at a time. */
function strict(most: Record<'run_timeout' | 'run_memory_limit', number>): Execute {
  return (job) => {
    const over = (['run_memory_limit', 'run_timeout'] as const).find((name) => (job[name] ?? 0) > most[name]);
    return Promise.resolve(
      over ? { refused: `${over} cannot exceed the configured limit of ${most[over]}` } : { answer: ok },
    );
  };
}

describe('a run on a Piston', () => {
  it('sends the program, its files and limits', async () => {
    const { take, jobs } = upstream();
    const sandbox = await take('SH', patient);
    await sandbox.files.write('lib/x.sh', Buffer.from('x'), patient);
    const files = [
      { path: 'a/b.txt', bytes: Buffer.from('one') },
      { path: 'a/b.txt', bytes: Buffer.from('two') },
    ];
    await framesOf(sandbox.run(claim, { ...program, files }, patient));
    assert.deepEqual(jobs, [
      {
        language: 'bash',
        version: '5.2.0',
        files: [
          { content: 'echo 1' },
          { name: 'lib/x.sh', content: 'eA==', encoding: 'base64' },
          { name: 'mounts/a/b.txt', content: 'b25ldHdv', encoding: 'base64' },
        ],
        stdin: 'in',
        args: ['a'],
        run_timeout: 30_000,
        run_memory_limit: 536_870_912,
      },
    ]);
  });

  it('yields the frames of an agent', async () => {
    const sandbox = await upstream().take('bash', patient);
    const told = { message: undefined, hints: [], truncated: false };
    assert.deepEqual(await framesOf(sandbox.run(claim, program, patient)), [
      { seq: 0, type: 'started', execution_id: 'one' },
      { seq: 1, type: 'stdout', text: '1\n' },
      { seq: 2, type: 'stderr', text: '' },
      {
        seq: 3,
        type: 'exit',
        cause: 'exited',
        exit_code: 0,
        signal: null,
        told,
        stdout_bytes: 2,
        stderr_bytes: 0,
        ran_seconds: 0.028,
        kept: false,
        files: 0,
        left_out: 0,
      },
    ]);
  });

  it('learns what Piston allows, keeps to it, and says so', async () => {
    const { take, jobs } = upstream(strict({ run_timeout: 3000, run_memory_limit: 100_000_000 }));
    const first = await framesOf((await take('bash', patient)).run(claim, program, patient));
    assert.deepEqual(
      jobs.map(({ run_timeout, run_memory_limit }) => [run_timeout, run_memory_limit]),
      [
        [30_000, 536_870_912],
        [30_000, 100_000_000],
        [3000, 100_000_000],
      ],
    );
    const exit = first.at(-1);
    assert.ok(exit?.type === 'exit');
    assert.deepEqual(exit.told?.hints, [
      'timeout_seconds was lowered to 3 s, the most that Piston allows bash.',
      'limits.memory_mb was lowered to 95 MiB, the most that Piston allows bash.',
    ]);
    await framesOf((await take('bash', patient)).run(claim, program, patient));
    assert.equal(jobs.length, 4);
    await framesOf((await take('cpp', patient)).run(claim, program, patient));
    assert.equal(jobs.length, 7, 'another language may have other limits');
  });

  it('is never without a limit: 0 is none for a Piston', async () => {
    const { take, jobs } = upstream();
    const limits = { ...claim.limits, seconds: 0.0001 };
    await framesOf((await take('bash', patient)).run({ ...claim, limits }, program, patient));
    assert.equal(jobs[0]?.run_timeout, 1);
  });

  it('fails where Piston refuses it for another reason, or goes on refusing', async () => {
    const refusals = ['bash-5.2.0 runtime is unknown', 'run_timeout cannot exceed the configured limit of 5'];
    for (const refused of refusals) {
      const { take, jobs } = upstream(() => Promise.resolve({ refused }));
      await assert.rejects(
        framesOf((await take('bash', patient)).run(claim, program, patient)),
        (error) =>
          error instanceof ServiceError &&
          error.code === 'piston_failed' &&
          error.message === `Piston refuses the run: ${refused}.`,
      );
      assert.ok(jobs.length <= 3);
    }
  });

  it('says of a language that is not there which are', async () => {
    for (const language of ['ruby', 'python2']) {
      await assert.rejects(upstream().take(language, patient), {
        code: 'invalid_request',
        message: `language: there is no "${language}" here; there are: python, bash, c++, javascript.`,
      });
    }
  });

  it('is in the version that a name stands for', async () => {
    const named = async (name: string) => {
      const { take, jobs } = upstream();
      await framesOf((await take(name, patient)).run(claim, program, patient));
      return [jobs[0]?.language, jobs[0]?.version];
    };
    assert.deepEqual(await named('javascript'), ['javascript', '18.15.0']);
    assert.deepEqual(await named('deno-js'), ['javascript', '1.32.3']);
  });

  it('is lost when it is cancelled, says that Piston goes on, and has its place until that is done', async () => {
    const going = Promise.withResolvers<PistonOutcome>();
    const { take } = upstream(() => going.promise);
    const stop = new AbortController();
    const sandbox = await take('bash', patient);
    const run = sandbox.run(claim, program, stop.signal);
    await run.next();
    const next = run.next();
    stop.abort(stops.cancelled());
    await assert.rejects(next, {
      name: 'SandboxLost',
      cause: 'cancelled',
      message: /; what it had written is lost, and Piston goes on with it to its limits\.$/,
    });
    const events: string[] = [];
    const disposed = sandbox.dispose().then(() => events.push('its place is free'));
    await new Promise(setImmediate);
    events.push('Piston is done');
    going.reject(new Error('nobody hears of it'));
    await disposed;
    assert.deepEqual(events, ['Piston is done', 'its place is free']);
  });

  it('leaves no files behind', async () => {
    const { files } = await upstream().take('bash', patient);
    assert.deepEqual(await files.list('', { recursive: true }, patient), { entries: [], left_out: 0 });
    await assert.rejects(files.read('a', 1, patient), { code: 'file_not_found' });
  });
});
