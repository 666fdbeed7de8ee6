import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from '../../../src/result/errors.ts';
import { SandboxLost } from '../../../src/schedule/backend.ts';
import { never, poolOn, prompt, stagedPool } from '../support/staged-pool.ts';
import { until } from '../support/until.ts';

const failures = (events: unknown[][]) => events.filter(([event]) => event === 'failed');

describe('a refill', () => {
  it('grows the pool with demand, and lets it shrink when that fades', async (t) => {
    const { pool, clock, sandboxes } = stagedPool(t, {
      settings: { min: 1, max: 5 },
      opening: (sandbox) => {
        sandbox.open();
        setTimeout(() => {
          sandbox.preloaded();
        }, 2000);
      },
    });
    await clock.pass(3);
    assert.equal(pool.state().ready, 1);
    for (let arrival = 0; arrival < 60; arrival += 1) {
      void pool.take(never).then((taken) => taken.dispose());
      await clock.pass(0.5);
    }
    await clock.pass(3);
    assert.equal(pool.state().ready, 5, 'at most max');
    await clock.pass(120);
    assert.equal(pool.state().ready, 1, 'at least min');
    assert.equal(sandboxes.filter(({ disposals }) => disposals === 0).length, 1);
  });

  it('is one of a few at a time, shared by all pools', async (t) => {
    const refills = { max: 3, now: 0 };
    const opening: (() => void)[] = [];
    const stage = {
      refills,
      opening: (sandbox: { getReady(): void }) => {
        opening.push(() => {
          sandbox.getReady();
        });
      },
    };
    const one = stagedPool(t, { ...stage, settings: { name: 'one', min: 4 } });
    const two = poolOn(t, { ...stage, settings: { name: 'two', min: 4 }, limits: undefined });
    const ready = () => one.pool.state().ready + two.pool.state().ready;
    for (let made = 0; made < 8; made += 1) {
      await one.clock.pass(6);
      assert.equal(opening.length - made, Math.min(3, 8 - made));
      opening[made]?.();
      await until(() => ready() === made + 1);
    }
    await one.clock.pass(6);
    assert.deepEqual([one.counts(), two.counts(), refills.now], [[4, 0, 0], [4, 0, 0], 0]);
  });

  it('makes no request wait for its turn', async (t) => {
    const { pool, clock, sandboxes } = stagedPool(t, { settings: { min: 5 }, refills: { max: 1, now: 0 } });
    await clock.pass(0.01);
    assert.equal(sandboxes.length, 1);
    const takes = [1, 2, 3].map(() => pool.take(never));
    assert.equal(sandboxes.length, 3);
    for (const sandbox of sandboxes) sandbox.open();
    await Promise.all(takes);
  });

  it('says how long it took, and what could not be imported', async (t) => {
    const { clock, at, events, pool } = stagedPool(t, { settings: { name: 'a' } });
    await clock.pass(0.01);
    at(0).open();
    await clock.pass(2);
    at(0).preloaded({ numpy: 'ModuleNotFoundError: No module named numpy' });
    await until(() => pool.state().ready === 1);
    const [notPreloaded, [refilled, name, seconds] = [], ...others] = events;
    assert.deepEqual(notPreloaded, [
      'notPreloaded',
      'a',
      { numpy: 'ModuleNotFoundError: No module named numpy' },
    ]);
    assert.deepEqual([refilled, name, others], ['refilled', 'a', []]);
    assert.ok(Number(seconds) >= 2 && Number(seconds) < 2.1, String(seconds));
  });
});

describe('a sandbox that waits', () => {
  it('is replaced before it is too old, and goes once the other is ready', async (t) => {
    const { clock, sandboxes, at, counts, pool, numberOf } = stagedPool(t, {
      limits: { poolMaxAgeSeconds: 100 },
    });
    await clock.pass(0.01);
    at(0).getReady();
    await clock.pass(89);
    assert.equal(sandboxes.length, 1);
    await clock.pass(6);
    assert.equal(sandboxes.length, 2);
    assert.equal(at(0).disposals, 0);
    at(1).getReady();
    await clock.pass(0.02);
    assert.equal(at(0).disposals, 1);
    assert.deepEqual(counts(), [1, 0, 0]);
    assert.equal(numberOf(await pool.take(never)), 1);
  });

  it('is given to nobody once it is too old, and goes', async (t) => {
    const { clock, at, pool, numberOf, events } = stagedPool(t, { limits: { poolMaxAgeSeconds: 12 } });
    await clock.pass(0.01);
    at(0).getReady();
    await clock.pass(12.01);
    const taking = pool.take(never);
    assert.deepEqual(events.at(-1)?.[2], 'miss');
    await clock.pass(5);
    assert.equal(at(0).disposals, 1);
    at(1).open();
    assert.equal(numberOf(await taking), 1);
  });

  it('and goes away by itself is disposed of and replaced, a moment later', async (t) => {
    const { clock, at, pool, events, sandboxes } = stagedPool(t, {
      settings: { name: 'a' },
      opening: prompt,
    });
    await clock.pass(1);
    const lost = new Error('evicted');
    at(0).goAway(lost);
    assert.equal(pool.state().ready, 0, 'nobody gets it');
    await clock.pass(0.9);
    assert.equal(sandboxes.length, 1);
    await clock.pass(0.2);
    assert.equal(pool.state().ready, 1);
    assert.equal(at(0).disposals, 1);
    assert.deepEqual(failures(events), [['failed', 'a', lost]]);
  });

  it('is not kept that has gone by the time it is ready', async (t) => {
    const { clock, at, pool } = stagedPool(t);
    await clock.pass(0.01);
    at(0).goAway();
    at(0).getReady();
    await until(() => at(0).disposals === 1);
    assert.equal(pool.state().ready, 0);
  });
});

describe('a sandbox that cannot start', () => {
  it('is tried again ever more rarely, one at a time', async (t) => {
    const at: number[] = [];
    const { clock, events, sandboxes } = stagedPool(t, {
      settings: { min: 4 },
      opening: (sandbox) => {
        at.push(performance.now());
        sandbox.fail(new Error('no image'));
      },
    });
    await clock.pass(600);
    const pauses = at.slice(4).map((time, index) => (time - (at[index + 3] ?? 0)) / 1000);
    assert.ok(at.length >= 12 && at.length <= 20, `${at.length} in 10 minutes`);
    pauses.forEach((pause, index) => {
      assert.ok(pause >= 0.9 && pause >= (pauses[index - 1] ?? 0) - 0.1 && pause < 60.1, pauses.join(' '));
    });
    assert.ok((pauses.at(-1) ?? 0) > 59.9);
    assert.equal(failures(events).length, sandboxes.length);
  });

  it('or ends as soon as it is ready is tried again ever more rarely, too', async (t) => {
    const { clock, sandboxes } = stagedPool(t, {
      settings: { min: 4 },
      opening: (sandbox) => {
        sandbox.getReady();
        setTimeout(() => {
          sandbox.goAway();
        }, 100);
      },
    });
    await clock.pass(600);
    assert.ok(sandboxes.length <= 60, `${sandboxes.length} in 10 minutes`);
  });

  it('counts as one failure with those that fail at the same time', async (t) => {
    const { clock, pool, sandboxes } = stagedPool(t, { settings: { min: 8 }, opening: prompt });
    await clock.pass(1);
    for (const sandbox of [...sandboxes]) sandbox.goAway(new Error('The node is gone.'));
    await clock.pass(5);
    assert.equal(pool.state().ready, 8, 'soon, not in a minute');
  });

  it('is forgotten once one has become ready', async (t) => {
    let fails = true;
    const { clock, pool, sandboxes } = stagedPool(t, {
      settings: { min: 4 },
      opening: (sandbox) => {
        if (fails) sandbox.fail(new Error('no image'));
        else sandbox.getReady();
      },
    });
    await clock.pass(20);
    const before = sandboxes.length;
    fails = false;
    await clock.pass(60);
    assert.equal(pool.state().ready, 4);
    assert.equal(sandboxes.length, before + 4);
  });

  it('is forgiven once another has stood for a while, or has had a run', async (t) => {
    for (const takes of [false, true]) {
      const { clock, pool, at, sandboxes } = stagedPool(t);
      for (let failed = 0; failed < 3; failed += 1) {
        await clock.pass(4.1);
        at(failed).fail(new Error('no image'));
      }
      await clock.pass(4.1);
      at(3).getReady();
      await clock.pass(takes ? 0.1 : 15.1);
      if (takes) {
        void pool.take(never);
        await clock.pass(0.1);
        at(4).getReady();
        await clock.pass(0.1);
      }
      const before = sandboxes.length;
      at(before - 1).goAway();
      await clock.pass(1.1);
      assert.equal(sandboxes.length, before + 1, 'after the pause of a first failure');
      t.mock.reset();
    }
  });

  it('fails the request that waits for it, and no other', async (t) => {
    const { clock, pool, at, numberOf, events } = stagedPool(t, { settings: { min: 0 } });
    const takes = [pool.take(never), pool.take(never)] as const;
    const why = new ServiceError('image_pull_failed', 'No image.');
    at(1).fail(why);
    await assert.rejects(takes[0], why, 'the first in the line, for whoever is open first serves it');
    await clock.pass(0.01);
    at(0).open();
    assert.equal(numberOf(await takes[1]), 0);
    assert.equal(failures(events).length, 1);
  });

  it('fails nobody as long as enough others start', async (t) => {
    const { clock, pool, at, numberOf } = stagedPool(t, { settings: { min: 2 } });
    await clock.pass(0.01);
    const taking = pool.take(never);
    at(0).fail(new Error('no image'));
    await clock.pass(0.01);
    at(1).open();
    assert.equal(numberOf(await taking), 1);
  });

  it('does not keep the next request from having its own at once', async (t) => {
    const { clock, pool, sandboxes, at } = stagedPool(t, { settings: { min: 1 } });
    await clock.pass(0.01);
    at(0).fail(new Error('no image'));
    await clock.pass(0.1);
    const taking = pool.take(never);
    assert.equal(sandboxes.length, 2);
    at(1).open();
    await taking;
  });

  it('is disposed of where its imports never end', async (t) => {
    const { clock, pool, at, events } = stagedPool(t, { limits: { startTimeoutSeconds: 0.01 } });
    await clock.pass(0.01);
    at(0).open();
    await until(() => at(0).disposals === 1);
    assert.equal(failures(events).length, 1);
    assert.equal(pool.state().ready, 0);
  });

  it('and ends while it imports fails no request that waits: it gets another', async (t) => {
    const { clock, pool, at, sandboxes, numberOf } = stagedPool(t);
    await clock.pass(0.01);
    at(0).open();
    await until(() => at(0).stage === 'preloading');
    const taking = pool.take(never);
    taking.catch(() => undefined);
    at(0).fail(new SandboxLost('out_of_memory', 'It imported too much.'));
    await until(() => at(0).disposals === 1);
    await clock.pass(0.1);
    assert.equal(sandboxes.length, 2);
    at(1).open();
    assert.equal(numberOf(await taking), 1);
  });
});
