import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from '../../../src/result/errors.ts';
import { endOf, type PistonAnswer } from '../../../src/sandbox/piston-ending.ts';
import { recorded } from '../../piston/replay.ts';

const limits = { run_timeout: 3000, run_memory_limit: 50_000_000 };

function answerOf(name: string): PistonAnswer {
  const body = recorded.find((each) => each.name === name)?.response.body;
  assert.ok(body, name);
  return JSON.parse(body) as PistonAnswer;
}

/** The end of a run that a real Piston had. */
function end(name: string, { run_memory_limit = limits.run_memory_limit } = {}) {
  const found = endOf(answerOf(name), { ...limits, run_memory_limit }).end;
  const { cause, exit_code, signal, told } = found;
  return { how: [cause, exit_code, signal], ...told };
}

describe('endOf', () => {
  const ends: [string, string, number | null, string | null][] = [
    ['python ok', 'exited', 0, null],
    ['exit 7', 'exited', 7, null],
    ['exit 255', 'exited', 255, null],
    ['exception', 'exited', 1, null],
    ['SIGSEGV in python', 'exited', null, 'SIGSEGV'],
    ['SIGKILL in python', 'exited', null, 'SIGKILL'],
    ['SIGTERM in python', 'exited', null, 'SIGTERM'],
    ['c, segfault', 'exited', null, 'SIGSEGV'],
    ['c, abort', 'exited', null, 'SIGABRT'],
    ['the run script itself is killed, 9', 'exited', null, 'SIGKILL'],
    ['the run script itself is killed, 11', 'exited', null, 'SIGSEGV'],
    ['timeout, wall', 'timed_out', null, null],
    ['cpu time', 'timed_out', null, null],
    ['memory limit', 'out_of_memory', null, null],
    ['output 1025 bytes, then exit', 'exited', null, 'SIGKILL'],
    ['stderr 1025 bytes', 'exited', null, 'SIGKILL'],
    ['c, compile error', 'exited', 1, null],
    ['c, compile timeout', 'timed_out', null, null],
  ];
  for (const [name, cause, code, signal] of ends) {
    it(`${name}: ${cause}`, () => {
      assert.deepEqual(end(name).how, [cause, code, signal]);
    });
  }

  it('is out of memory where all that the code may have was used, and not where it killed itself', () => {
    const whole = { run_memory_limit: 100_000 };
    assert.deepEqual(end('memory limit below any use', whole).how, ['out_of_memory', null, null]);
    assert.deepEqual(end('memory limit below any use').how, ['exited', null, 'SIGKILL']);
    assert.match(end('memory limit').message ?? '', /^The code used more memory than its limit of 47 MiB\./);
  });

  it('leaves the sentence to others where these know it', () => {
    for (const name of ['python ok', 'exit 7', 'c, segfault'])
      assert.deepEqual([name, end(name).message], [name, undefined]);
  });

  const messages: [string, RegExp][] = [
    ['timeout, wall', /^The code was stopped after its limit of 3 s; what it had written is kept\./],
    ['cpu time', /^The code used more CPU time than Piston allows a run;/],
    ['output endless', /^The code was stopped: it wrote more to stdout than this Piston keeps/],
    ['stdout kept, stderr over', /^The code was stopped: it wrote more to stderr than this Piston keeps/],
    [
      'c, compile error',
      /^The code does not compile: the compiler exited with code 1; what it said is in stderr\.$/,
    ],
    ['c, compile timeout', /^The code was not run: compiling it took longer than Piston allows\.$/],
  ];
  for (const [name, message] of messages) {
    it(`says in plain words: ${name}`, () => {
      assert.match(end(name).message ?? '', message);
    });
  }

  it('says that what was dropped is not counted', () => {
    const { hints, truncated } = end('output 1000 + 100');
    assert.equal(truncated, true);
    assert.deepEqual(hints, [
      'stdout is not whole: what Piston dropped, it does not count, so stdout_bytes tells only what was kept.',
    ]);
    assert.equal(end('python ok').truncated, false);
  });

  it('passes on what the compiler said of code that it took', () => {
    const { hints } = end('c, warning');
    assert.match(hints.join(), /^The compiler said: main\.c\.c: In function/);
    assert.deepEqual(end('c, compile error').hints, []);
  });

  it('says that characters were cut', () => {
    const hint = '"\uFFFD" stands for bytes that are not UTF-8, and for characters that Piston cut in two.';
    assert.deepEqual(end('output UTF-8 split over two writes').hints, [hint]);
  });

  it('shows the output of the stage that ended the run', () => {
    const { stage } = endOf(answerOf('c, compile error'), limits);
    assert.match(stage.stderr, /'x' undeclared/);
    assert.equal(endOf(answerOf('c ok'), limits).stage.stdout, 'in\n[./a.out][a][b c]');
  });

  it('takes a program at its word only where bash says the same', () => {
    const answer = answerOf('exit 7');
    const run = { ...answer.run, code: 139, stderr: 'Segmentation fault, I think\n' };
    assert.equal(endOf({ ...answer, run }, limits).end.exit_code, 139);
  });

  it('is no end where Piston itself failed', () => {
    const answer = answerOf('exit 7');
    const run = { ...answer.run, code: null, status: 'XX' as const, message: 'cannot make a box' };
    assert.throws(
      () => endOf({ ...answer, run }, limits),
      (error) =>
        error instanceof ServiceError &&
        error.code === 'piston_failed' &&
        error.message === 'Piston could not run the code: cannot make a box.',
    );
  });
});
