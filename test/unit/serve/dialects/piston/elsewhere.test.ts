import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PistonJob, PistonOutcome, PistonStage } from '../../../../../src/piston/piston.ts';
import { runElsewhere } from '../../../../../src/serve/dialects/piston/elsewhere.ts';
import type { Asked, AskedFile } from '../../../../../src/serve/dialects/piston/ask.ts';

const signal = new AbortController().signal;
const file: AskedFile = { name: 'file0.code', isNamed: false, content: 'a', encoding: 'utf8' };
const asked: Asked = {
  runtime: { language: 'c', version: '10.2.0', aliases: ['gcc'] },
  files: [file, { ...file, name: 'a.h', isNamed: true }],
  stdin: '\n',
  args: ['-x'],
  limits: { run_timeout: 100 },
};
const stage: PistonStage = {
  wall_time: 1,
  cpu_time: 2,
  status: null,
  message: null,
  memory: 3,
  output: 'a',
  code: 0,
  stderr: '',
  stdout: 'a',
  signal: null,
};

function setup(outcome: PistonOutcome | Error) {
  const log: string[] = [];
  const jobs: PistonJob[] = [];
  const piston = {
    execute(job: PistonJob) {
      log.push('execute');
      jobs.push(job);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  };
  const places = {
    enter() {
      log.push('enter');
      return Promise.resolve(() => void log.push('leave'));
    },
  };
  return { log, jobs, run: (of: Asked) => runElsewhere(piston, places, of, signal) };
}

describe('a run on the Piston behind', () => {
  it('has a place, and what was asked for', async () => {
    const { log, jobs, run } = setup({ answer: { run: stage, language: 'c', version: '10.2.0' } });
    await run(asked);
    assert.deepEqual(log, ['enter', 'execute', 'leave']);
    assert.deepEqual(jobs, [
      {
        language: 'c',
        version: '10.2.0',
        files: [
          { content: 'a', encoding: 'utf8' },
          { name: 'a.h', content: 'a', encoding: 'utf8' },
        ],
        stdin: '\n',
        args: ['-x'],
        run_timeout: 100,
      },
    ]);
  });

  it('is answered with its keys in order, and with no compilation where there was none', async () => {
    const answer = { version: '10.2.0', language: 'c', run: stage };
    const plain = await setup({ answer }).run(asked);
    assert.deepEqual(Object.keys(plain), ['run', 'language', 'version']);
    const compiled = await setup({ answer: { ...answer, compile: stage } }).run(asked);
    assert.deepEqual(Object.keys(compiled), ['compile', 'run', 'language', 'version']);
    assert.deepEqual(Object.keys(compiled.run)[0], 'signal');
    assert.deepEqual(compiled.compile, stage);
  });

  it('is refused in the words of that Piston', async () => {
    const { log, run } = setup({ refused: 'run_timeout cannot exceed the configured limit of 3000' });
    await assert.rejects(run(asked), {
      status: 400,
      message: 'run_timeout cannot exceed the configured limit of 3000',
    });
    assert.deepEqual(log, ['enter', 'execute', 'leave']);
  });

  it('gives its place back when that Piston fails', async () => {
    const { log, run } = setup(new Error('gone'));
    await assert.rejects(run(asked), /gone/);
    assert.deepEqual(log, ['enter', 'execute', 'leave']);
  });

  it('has its place until that Piston is done, though its caller has left', async () => {
    const going = Promise.withResolvers<PistonOutcome>();
    const left = new AbortController();
    const log: string[] = [];
    const places = { enter: () => Promise.resolve(() => void log.push('leave')) };
    const run = runElsewhere({ execute: () => going.promise }, places, asked, left.signal);
    await new Promise(setImmediate);
    left.abort(new Error('left'));
    await assert.rejects(run, /left/);
    assert.deepEqual(log, []);
    going.resolve({ refused: 'nobody hears of it' });
    await new Promise(setImmediate);
    assert.deepEqual(log, ['leave']);
  });

  it('lifts no limit by a small one', async () => {
    const { jobs, run } = setup({ answer: { run: stage, language: 'c', version: '10.2.0' } });
    await run({ ...asked, limits: { run_timeout: 0.5, compile_cpu_time: 1e-9, run_memory_limit: 1 } });
    const [{ run_timeout, compile_cpu_time, run_memory_limit, compile_timeout } = {}] = jobs;
    assert.deepEqual(
      [run_timeout, compile_cpu_time, run_memory_limit, compile_timeout],
      [1, 1, 1000, undefined],
    );
  });

  it('hands no name over that is an option', async () => {
    const { log, run } = setup(new Error('gone'));
    await assert.rejects(run({ ...asked, files: [{ ...file, name: '-c', isNamed: true }] }), {
      status: 400,
      message: 'files[0].name: a name begins with no hyphen',
    });
    assert.deepEqual(log, []);
  });
});
