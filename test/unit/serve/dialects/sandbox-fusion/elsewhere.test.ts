import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPistonLimits } from '../../../../../src/piston/limits.ts';
import type { Piston, PistonJob, PistonOutcome, PistonStage } from '../../../../../src/piston/piston.ts';
import { runElsewhere } from '../../../../../src/serve/dialects/sandbox-fusion/elsewhere.ts';
import { languageOf, runCodeBody } from '../../../../../src/serve/dialects/sandbox-fusion/request.ts';
import { forever } from '../../../support/blobs.ts';
import { config } from '../../../support/settings.ts';

const stage: PistonStage = {
  signal: null,
  stdout: '',
  stderr: '',
  code: 0,
  output: '',
  memory: null,
  message: null,
  status: null,
  cpu_time: null,
  wall_time: 10,
};

/** Runs C++ on a Piston that answers with these, one after another. */
async function ran(body: object, ...outcomes: PistonOutcome[]) {
  const jobs: PistonJob[] = [];
  let places = 0;
  const piston: Pick<Piston, 'runtimes' | 'executeWithinLimits'> = {
    runtimes: () =>
      Promise.resolve([
        { language: 'c++', version: '10.2.0', aliases: ['cpp', 'g++'] },
        { language: 'php', version: '8.2.3', aliases: [] },
      ]),
    executeWithinLimits: createPistonLimits((job) => {
      jobs.push(job);
      const outcome = outcomes.shift();
      return outcome ? Promise.resolve(outcome) : Promise.reject(new Error('It is asked too often.'));
    }),
  };
  const pistonPlaces = {
    enter() {
      places += 1;
      return Promise.resolve(() => {
        places -= 1;
      });
    },
  };
  const asked = runCodeBody.parse({ code: 'int main', language: 'cpp', ...body });
  const behind = { pistonPlaces, settings: config() };
  const answer = await runElsewhere(piston, behind, asked, languageOf(asked, true), forever).finally(() => {
    assert.equal(places, 0, 'its place is free again');
  });
  return { answer, jobs };
}

const answered = (run: Partial<PistonStage>, compile?: Partial<PistonStage>): PistonOutcome => ({
  answer: {
    ...(compile && { compile: { ...stage, ...compile } }),
    run: { ...stage, ...run },
    language: 'c++',
    version: '10.2.0',
  },
});

describe('runElsewhere', () => {
  it('asks in Piston’s words', async () => {
    const { jobs } = await ran(
      { stdin: 'in', files: { 'a/b': 'YQ==', c: null }, run_timeout: 0.5, memory_limit_MB: 2 },
      answered({}),
    );
    assert.deepEqual(jobs, [
      {
        language: 'c++',
        version: '10.2.0',
        files: [{ content: 'int main' }, { name: 'a/b', content: 'YQ==', encoding: 'base64' }],
        stdin: 'in',
        compile_timeout: 10_000,
        run_timeout: 500,
        run_memory_limit: 2_097_152,
      },
    ]);
  });

  it('never lifts a limit', async () => {
    const { jobs } = await ran({ run_timeout: 0, compile_timeout: 1e9, memory_limit_MB: -1 }, answered({}));
    const [{ run_timeout, compile_timeout, run_memory_limit } = {}] = jobs;
    assert.deepEqual([run_timeout, compile_timeout, run_memory_limit], [1, 300_000, undefined]);
  });

  it('tells of both commands', async () => {
    const { answer } = await ran({}, answered({ stdout: 'hi' }, { stderr: 'warning' }));
    assert.deepEqual(
      [answer.status, answer.compile_result?.stderr, answer.run_result?.stdout],
      ['Success', 'warning', 'hi'],
    );
  });

  it('has no run of what did not compile', async () => {
    const fault = { code: 1, status: 'RE' as const, stderr: 'error' };
    const { answer } = await ran({}, answered(fault, fault));
    assert.deepEqual(
      [answer.status, answer.compile_result?.return_code, answer.run_result],
      ['Failed', 1, null],
    );
  });

  it('is content with the limits that Piston has', async () => {
    const { jobs } = await ran(
      {},
      { refused: 'compile_timeout cannot exceed the configured limit of 9000' },
      { refused: 'run_timeout cannot exceed the configured limit of 3000' },
      answered({}),
    );
    assert.deepEqual(
      jobs.map(({ compile_timeout, run_timeout }) => [compile_timeout, run_timeout]),
      [
        [10_000, 10_000],
        [9000, 10_000],
        [9000, 3000],
      ],
    );
  });

  it('says what was lowered where that is why a program was stopped', async () => {
    const refused = { refused: 'run_timeout cannot exceed the configured limit of 3000' };
    const { answer } = await ran({}, refused, answered({ code: null, signal: 'SIGKILL', status: 'TO' }));
    assert.deepEqual(
      [answer.run_result?.status, answer.run_result?.stderr],
      ['TimeLimitExceeded', 'run_timeout was lowered to 3 s, the most that Piston allows c++.\n'],
    );
    assert.equal((await ran({}, refused, answered({}))).answer.run_result?.stderr, '');
  });

  it('gives PHP the tag without which it prints a program', async () => {
    const code = async (given: string) =>
      (await ran({ code: given, language: 'php' }, answered({}))).jobs[0]?.files[0]?.content;
    assert.equal(await code('echo 1;'), '<?php\necho 1;');
    assert.equal(await code('<p><?php echo 1; ?></p>'), '<p><?php echo 1; ?></p>');
  });

  for (const [name, body, outcome, code] of [
    ['a refusal', {}, { refused: 'no' }, 'piston_failed'],
    ['files that are to come back', { fetch_files: ['a'] }, undefined, 'invalid_request'],
    ['a language that is not installed', { language: 'rust' }, undefined, 'invalid_request'],
    ['a path that leads out', { files: { '../a': '' } }, undefined, 'invalid_request'],
  ] as const) {
    it(`fails for ${name}`, async () => {
      await assert.rejects(ran(body, ...(outcome ? [outcome] : [])), { code });
    });
  }
});

describe('languageOf', () => {
  for (const [language, hasPiston, name] of [
    ['python', false, 'python'],
    ['nodejs', true, 'javascript'],
    ['nodejs', false, undefined],
    ['pytest', true, undefined],
  ] as const) {
    it(`${language} ${hasPiston ? 'with' : 'without'} Piston: ${name}`, () => {
      const asked = runCodeBody.parse({ code: '', language });
      if (name === undefined) assert.throws(() => languageOf(asked, hasPiston), { code: 'invalid_request' });
      else assert.equal(languageOf(asked, hasPiston), name);
    });
  }
});
