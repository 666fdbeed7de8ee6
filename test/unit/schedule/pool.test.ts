import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { never, prompt, stagedPool } from '../support/staged-pool.ts';
import { until } from '../support/until.ts';

describe('a pool', () => {
  it('is filled to its min with sandboxes of its kind, their modules imported', async (t) => {
    const settings = { name: 'science', image: 'image:1', runtimeClass: 'kata', cpu: 0.5, memoryMb: 300 };
    const { pool, clock, sandboxes, counts } = stagedPool(t, {
      settings: { ...settings, preload: ['numpy', 'pandas'], min: 3 },
      limits: { poolMaxAgeSeconds: 100, maxTimeoutSeconds: 20 },
    });
    await clock.pass(0.01);
    assert.deepEqual(counts(), [0, 3, 0]);
    const kind = { image: 'image:1', runtimeClass: 'kata', cpu: 0.5, memory_mb: 300 };
    for (const sandbox of sandboxes) {
      assert.deepEqual(sandbox.spec, {
        kind,
        pool: 'science',
        claim: undefined,
        lifeSeconds: 150,
        build: false,
      });
      sandbox.open();
    }
    await until(() => sandboxes.every(({ stage }) => stage === 'preloading'));
    assert.deepEqual(counts(), [0, 3, 0], 'not ready before its modules are there');
    for (const sandbox of sandboxes) {
      assert.deepEqual(sandbox.modules, ['numpy', 'pandas']);
      sandbox.preloaded();
    }
    await until(() => pool.state().ready === 3);
    await clock.pass(60);
    assert.deepEqual(counts(), [3, 0, 0]);
    assert.equal(sandboxes.length, 3, 'no more than that');
  });

  it('tells how it fares', async (t) => {
    const { pool, clock } = stagedPool(t, { settings: { name: 'a', min: 2 }, opening: prompt });
    assert.deepEqual(pool.state(), { pool: 'a', ready: 0, starting: 0, claimed: 0, oldestSeconds: 0 });
    await clock.pass(30);
    const { oldestSeconds, ...rest } = pool.state();
    assert.deepEqual(rest, { pool: 'a', ready: 2, starting: 0, claimed: 0 });
    assert.ok(oldestSeconds > 29.9 && oldestSeconds <= 30, String(oldestSeconds));
  });
});

describe('a hit', () => {
  it('takes the oldest', async (t) => {
    const { pool, clock, at, numberOf } = stagedPool(t, { settings: { min: 3 } });
    await clock.pass(0.01);
    for (const index of [1, 0, 2]) {
      at(index).getReady();
      await clock.pass(1);
    }
    const taken = [await pool.take(never), await pool.take(never), await pool.take(never)];
    assert.deepEqual(taken.map(numberOf), [1, 0, 2]);
  });

  it('is claimed until it is disposed of', async (t) => {
    const { pool, clock, at, counts } = stagedPool(t, { settings: { min: 2 }, opening: prompt });
    await clock.pass(1);
    const taken = await pool.take(never);
    assert.deepEqual(counts(), [1, 0, 1]);
    await taken.dispose();
    assert.deepEqual(counts(), [1, 0, 0]);
    assert.equal(at(0).disposals, 1);
  });

  it('is replaced a moment later, so that its run goes first', async (t) => {
    const { pool, clock, sandboxes } = stagedPool(t, { settings: { min: 2 }, opening: prompt });
    await clock.pass(1);
    await pool.take(never);
    await clock.pass(0.04);
    assert.equal(sandboxes.length, 2);
    await clock.pass(0.02);
    assert.equal(sandboxes.length, 3);
    assert.equal(pool.state().ready, 2);
  });

  it('that goes away after that is the run’s affair', async (t) => {
    const { pool, clock, events, at } = stagedPool(t, { opening: prompt });
    await clock.pass(1);
    await pool.take(never);
    at(0).goAway();
    await clock.pass(1);
    assert.equal(at(0).disposals, 0);
    assert.ok(!events.some(([event]) => event === 'failed'));
  });
});

describe('a miss', () => {
  it('has a sandbox of its own started at once, and gets it as soon as it is open', async (t) => {
    const { pool, at, counts, numberOf } = stagedPool(t, { settings: { min: 0, preload: ['numpy'] } });
    const taking = pool.take(never);
    assert.deepEqual(counts(), [0, 1, 0]);
    at(0).open();
    assert.equal(numberOf(await taking), 0);
    assert.equal(at(0).stage, 'open', 'it waits for no import that its program may not need');
    await until(() => pool.state().starting === 0);
    assert.deepEqual(counts(), [0, 0, 1]);
  });

  it('is told apart from a hit by the pool’s name', async (t) => {
    const { pool, clock, events } = stagedPool(t, { settings: { name: 'a' }, opening: prompt });
    await clock.pass(1);
    await pool.take(never);
    await pool.take(never);
    assert.deepEqual(events, [
      ['refilled', 'a', 0],
      ['claimed', 'a', 'hit'],
      ['claimed', 'a', 'miss'],
    ]);
  });

  it('shares what is on its way already', async (t) => {
    const { pool, clock, sandboxes, at, numberOf } = stagedPool(t, { settings: { min: 2 } });
    await clock.pass(0.01);
    const takes = [pool.take(never), pool.take(never), pool.take(never)];
    assert.equal(sandboxes.length, 3, 'two were on their way, one is more');
    for (const index of [2, 0, 1]) at(index).open();
    assert.deepEqual((await Promise.all(takes)).map(numberOf), [2, 0, 1], 'the first open serves the first');
  });

  it('gets a refill that has become ready meanwhile, and what was started for it becomes ready', async (t) => {
    const { pool, clock, at, counts, numberOf } = stagedPool(t, { settings: { min: 1 } });
    await clock.pass(0.01);
    at(0).open();
    await until(() => at(0).stage === 'preloading');
    const [first, second] = [pool.take(never), pool.take(never)];
    at(0).preloaded();
    assert.equal(numberOf(await first), 0);
    await clock.pass(1);
    assert.deepEqual(counts(), [0, 2, 1]);
    for (const index of [1, 2]) at(index).getReady();
    assert.equal(numberOf(await second), 1);
    await clock.pass(1);
    assert.deepEqual(counts(), [1, 0, 2]);
  });

  it('does not wait for the imports of another: it has a sandbox of its own as well', async (t) => {
    const { pool, clock, sandboxes, at, numberOf } = stagedPool(t, { settings: { min: 1 } });
    await clock.pass(0.01);
    at(0).open();
    await until(() => at(0).stage === 'preloading');
    const taking = pool.take(never);
    assert.equal(sandboxes.length, 2);
    at(1).open();
    assert.equal(numberOf(await taking), 1);
  });

  it('waits its turn in a burst of twice the pool', async (t) => {
    const { pool, clock, sandboxes, at, numberOf, counts } = stagedPool(t, {
      settings: { min: 4, max: 4 },
    });
    await clock.pass(0.01);
    for (const sandbox of sandboxes) sandbox.getReady();
    await clock.pass(1);
    const served: number[] = [];
    const takes = Array.from({ length: 8 }, async (_, request) => {
      const taken = await pool.take(never);
      served.push(request);
      return numberOf(taken);
    });
    await until(() => served.length === 4);
    assert.equal(sandboxes.length, 8, 'each of those that wait has its own');
    for (const index of [7, 5, 6, 4]) {
      at(index).open();
      await until(() => at(index).stage === 'open');
    }
    assert.deepEqual(await Promise.all(takes), [0, 1, 2, 3, 7, 5, 6, 4]);
    assert.deepEqual(served, [0, 1, 2, 3, 4, 5, 6, 7]);
    await clock.pass(0.1);
    assert.deepEqual(counts(), [0, 4, 8], 'and the pool is refilled');
  });

  it('that is aborted leaves, and its sandbox goes into the pool', async (t) => {
    const { pool, clock, at, counts, numberOf, sandboxes } = stagedPool(t, { settings: { min: 0 } });
    const stop = new AbortController();
    const taking = pool.take(stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(taking, /enough/);
    at(0).getReady();
    await until(() => pool.state().ready === 1);
    await clock.pass(0.1);
    assert.deepEqual(counts(), [1, 0, 0]);
    assert.equal(numberOf(await pool.take(never)), 0);
    assert.equal(sandboxes.length, 1);
  });

  it('does not come of a request that is aborted already', async (t) => {
    const { pool, sandboxes, events } = stagedPool(t, { settings: { min: 0 } });
    await assert.rejects(pool.take(AbortSignal.abort(new Error('gone'))), /gone/);
    assert.deepEqual([sandboxes, events], [[], []]);
  });

  it('is served at whatever moment it comes', async (t) => {
    // Between a sandbox's being given and its no longer being on its way there are turns of the microtask queue.
    for (let turns = 0; turns < 12; turns += 1) {
      const { pool, clock, at, sandboxes } = stagedPool(t, {
        settings: { min: 0 },
        refills: { max: 0, now: 0 },
      });
      const first = pool.take(never);
      at(0).open();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      const second = pool.take(never);
      await first;
      await clock.pass(0.2);
      assert.equal(sandboxes.length, 2, `after ${turns} turns`);
      at(1).open();
      await second;
      t.mock.reset();
    }
  });
});
