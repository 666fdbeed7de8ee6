import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Frame } from '../../../src/output/frame.ts';
import { executionRequest } from '../../../src/request/execution.ts';
import type { Claim, Program, SessionSandbox } from '../../../src/schedule/backend.ts';
import { createSession, type Session } from '../../../src/sessions/session.ts';
import { takeTurn } from '../../../src/sessions/turn.ts';
import { emit, noFiles } from '../support/fake-backend.ts';
import { exit, numbered } from '../support/frames.ts';
import { mockClock } from '../support/mock-clock.ts';
import { result } from '../support/result.ts';
import { config } from '../support/settings.ts';

const never = new AbortController().signal;
const schema = executionRequest(config());
const limits = { seconds: 30, cpu: 1, memory_mb: 64 };
const claim: Claim = { executionId: 'id', caller: '', requestKey: undefined, limits };

const program: Program = {
  code: '',
  stdin: '',
  args: [],
  env: {},
  files: [],
  environment: null,
  mode: 'single',
};

/** The frames of a run that found an interpreter, and left one. */
function ran(found: boolean, left: boolean, ran_seconds = 1): Frame[] {
  return numbered({ type: 'started', execution_id: 'id', kept: found }, exit({ kept: left, ran_seconds }));
}

function session(t: TestContext) {
  const clock = mockClock(t);
  const claims: Claim[] = [];
  let frames: Frame[] = [];
  const sandbox: SessionSandbox = {
    placedAt: 0,
    gone: new AbortController().signal,
    preload: () => Promise.resolve({}),
    files: noFiles,
    run(claimed) {
      claims.push(claimed);
      return emit(frames);
    },
    dispose: () => Promise.resolve(),
    extend: () => Promise.resolve(),
    end: () => Promise.resolve(),
  };
  const facts = { requirements: [], limits, idleSeconds: 1000, maxAgeSeconds: 100, callSeconds: 40 };
  const events = { notExtended: () => undefined, ended: () => undefined };
  const made = createSession(sandbox, { ...facts, queueLength: 2 }, events);
  t.after(() => made.end('ended'));
  const answers = (next: Frame[]) => (frames = next);
  return { clock, claims, made, answers };
}

/** What a run is told of its session; `amid` happens before its end. */
async function told(of: Session, signal = never, amid: () => unknown = () => undefined) {
  const turn = await takeTurn(of, schema.parse({ code: '' }), signal);
  for await (const frame of turn.sandbox.run(claim, program, never)) if (frame.type === 'started') amid();
  const { message, hints } = turn.explain({ ...result, message: 'It ended.' });
  turn.leave();
  return { message, hints: hints.join() };
}

describe('the variables of a session', () => {
  it('are missed by the run after one that was cancelled, whose caller may not have heard of it', async (t) => {
    const { made, answers } = session(t);
    answers(ran(false, true));
    await told(made);
    const gone = new AbortController();
    answers(ran(true, false));
    await told(made, gone.signal, () => {
      gone.abort();
    });
    answers(ran(false, true));
    assert.match((await told(made)).hints, /^The interpreter of the session had ended/);
    answers(ran(true, true));
    assert.equal((await told(made)).hints, '');
  });
});

describe('the end of a run', () => {
  for (const why of ['ended', 'server_stopped', 'too_old'] as const) {
    it(`is that of its files, too, where its session ends amid it: ${why}`, async (t) => {
      const { made, answers } = session(t);
      answers(ran(false, false));
      const { message } = await told(made, never, () => void made.end(why));
      assert.match(message, /^It ended\. The session has ended with it: its variables and files are gone/);
    });
  }

  it('is that of an interpreter only where there was one, or the code ran', async (t) => {
    const { made, answers } = session(t);
    answers(ran(false, false, 0));
    assert.equal((await told(made)).message, 'It ended.');
    answers(ran(false, false));
    assert.match((await told(made)).message, /The interpreter of the session ended with it/);
    answers(ran(true, false, 0));
    assert.match((await told(made)).message, /The interpreter of the session ended with it/);
  });
});

describe('the time of a run', () => {
  it('is what is left of the greatest age when the program is sent', async (t) => {
    const { made, answers, claims, clock } = session(t);
    answers(ran(false, true));
    assert.equal((await told(made)).hints, '');
    const turn = await takeTurn(made, schema.parse({ code: '' }), never);
    await clock.pass(88.5); // as for a build
    answers(ran(true, true));
    assert.equal((await Array.fromAsync(turn.sandbox.run(claim, program, never))).length, 2);
    const { message, hints } = turn.explain({ ...result, status: 'timed_out' });
    turn.leave();
    assert.deepEqual(
      claims.map(({ limits: { seconds } }) => seconds),
      [30, 11],
    );
    assert.match(message, /^The code was stopped after its limit of 11 s;/);
    assert.match(hints.join(), /^The run had 11 s, because its session ends then, at its greatest age\.$/);
  });
});
