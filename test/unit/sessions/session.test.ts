import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SessionEnd, SessionSandbox } from '../../../src/schedule/backend.ts';
import { createSession, type SessionFacts, sessionLife } from '../../../src/sessions/session.ts';
import { emit, noFiles } from '../support/fake-backend.ts';
import { mockClock } from '../support/mock-clock.ts';

const never = new AbortController().signal;

function sessionOn(t: TestContext, changes: Partial<SessionFacts> = {}) {
  const clock = mockClock(t);
  const gone = new AbortController();
  const told: { ends: SessionEnd[]; extended: number[]; failures: unknown[] } = {
    ends: [],
    extended: [],
    failures: [],
  };
  let extending: () => Promise<void> = () => Promise.resolve();
  const sandbox: SessionSandbox = {
    placedAt: 0,
    gone: gone.signal,
    preload: () => Promise.resolve({}),
    files: noFiles,
    run: () => emit([]),
    dispose: () => Promise.resolve(),
    extend(lifeSeconds) {
      told.extended.push(lifeSeconds);
      return extending();
    },
    end(why) {
      told.ends.push(why);
      return Promise.resolve();
    },
  };
  const facts: SessionFacts = {
    requirements: [],
    limits: { seconds: 30, cpu: 1, memory_mb: 64 },
    idleSeconds: 10,
    maxAgeSeconds: 1000,
    callSeconds: 40,
    queueLength: 2,
    ...changes,
  };
  const session = createSession(sandbox, facts, {
    notExtended: (error) => told.failures.push(error),
    ended: () => undefined,
  });
  t.after(() => session.end('ended'));
  const refuseToExtend = (error: Error) => (extending = () => Promise.reject(error));
  return { clock, gone, session, told, refuseToExtend };
}

describe('a turn', () => {
  it('is had by one after the other, in the order of asking', async (t) => {
    const { session } = sessionOn(t);
    const order: number[] = [];
    const first = await session.turn(never);
    const rest = [1, 2].map(async (number) => {
      const turn = await session.turn(never);
      order.push(number);
      turn.leave();
    });
    await assert.rejects(session.turn(never), {
      code: 'queue_full',
      message: '2 calls wait for their turn in this session, which is as many as may.',
    });
    assert.deepEqual(order, []);
    first.leave();
    await Promise.all(rest);
    assert.deepEqual(order, [1, 2]);
  });

  it('is given up by who goes away', async (t) => {
    const { session } = sessionOn(t);
    const first = await session.turn(never);
    const stop = new AbortController();
    const waiting = session.turn(stop.signal);
    stop.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    first.leave();
    (await session.turn(never)).leave();
  });

  it('knows how long the session has to live', async (t) => {
    const { clock, session } = sessionOn(t);
    await clock.pass(8);
    const turn = await session.turn(never);
    assert.equal(Math.round(turn.secondsLeft), 992);
    turn.leave();
  });
});

describe('the end', () => {
  it('comes when nothing was asked for the idle time, and not amid a turn', async (t) => {
    const { clock, session, told } = sessionOn(t);
    await clock.pass(9);
    const turn = await session.turn(never);
    await clock.pass(100);
    turn.leave();
    await clock.pass(9);
    assert.deepEqual(told.ends, []);
    await clock.pass(2);
    assert.deepEqual(told.ends, ['idle']);
    await assert.rejects(session.turn(never), {
      code: 'session_ended',
      message: /not used for its idle time/,
    });
  });

  it('comes with its greatest age, after the turn that goes on, which is not cancelled', async (t) => {
    const { clock, session, told } = sessionOn(t, { maxAgeSeconds: 20 });
    await clock.pass(5);
    const turn = await session.turn(never);
    const waiting = assert.rejects(session.turn(never), { code: 'session_ended', message: /greatest age/ });
    await clock.pass(16);
    await waiting;
    assert.equal(turn.signal.aborted, false);
    assert.deepEqual(told.ends, []);
    turn.leave();
    await nextTurn();
    assert.deepEqual(told.ends, ['too_old']);
  });

  it('cancels what goes on where it was asked for, and comes once', async (t) => {
    const { session, told } = sessionOn(t);
    const turn = await session.turn(never);
    const ending = session.end('ended');
    assert.match(String(turn.signal.reason), /cancelled because its session was ended/);
    turn.leave();
    await Promise.all([ending, session.end('idle')]);
    assert.deepEqual(told.ends, ['ended']);
  });

  it('comes with its sandbox, whose run is read to its end', async (t) => {
    const { session, gone, told } = sessionOn(t);
    const turn = await session.turn(never);
    gone.abort();
    assert.equal(turn.signal.aborted, false);
    turn.leave();
    await session.ending;
    assert.deepEqual(told.ends, ['sandbox_lost']);
  });
});

describe('the life', () => {
  it('is made longer when less than half of it is left, and no longer than the greatest age', async (t) => {
    const { clock, session, told } = sessionOn(t, { idleSeconds: 60, maxAgeSeconds: 300 });
    const life = sessionLife({ idleSeconds: 60, callSeconds: 40 });
    assert.equal(life, 200);
    const use = async () => {
      (await session.turn(never)).leave();
    };
    await use();
    await clock.pass(50);
    await use();
    assert.deepEqual(told.extended, []);
    await clock.pass(55);
    await use();
    await use();
    assert.equal(told.extended.length, 1);
    assert.ok(Math.abs(Number(told.extended[0]) - 195) < 1, String(told.extended));
    await clock.pass(59);
    await use();
    await clock.pass(59);
    await use();
    assert.equal(told.extended.length, 1);
  });

  it('is asked for again where that failed', async (t) => {
    const { clock, session, told, refuseToExtend } = sessionOn(t, { idleSeconds: 60 });
    refuseToExtend(new Error('no answer'));
    await clock.pass(55);
    (await session.turn(never)).leave();
    await clock.pass(55);
    for (let call = 0; call < 2; call += 1) {
      (await session.turn(never)).leave();
      await nextTurn();
    }
    assert.deepEqual([told.extended.length, told.failures.length], [2, 2]);
  });
});
