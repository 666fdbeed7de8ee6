import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPool } from '../../../src/schedule/pool.ts';
import { noFiles } from '../support/fake-backend.ts';
import { noEvents } from '../support/pool-events.ts';
import { poolSettings } from '../support/settings.ts';
import { stagedBackend } from '../support/staged-backend.ts';
import { never, prompt, stagedPool } from '../support/staged-pool.ts';
import { until } from '../support/until.ts';

describe('a pool that drains', () => {
  it('ends the sandboxes that are ready, and makes no others', async (t) => {
    const { pool, clock, sandboxes, counts } = stagedPool(t, { settings: { min: 3 }, opening: prompt });
    await clock.pass(1);
    pool.drain();
    await clock.pass(120);
    assert.deepEqual(counts(), [0, 0, 0]);
    assert.deepEqual(
      sandboxes.map(({ disposals }) => disposals),
      [1, 1, 1],
    );
  });

  it('serves those that wait, and ends what comes later', async (t) => {
    const { pool, clock, at, counts, numberOf } = stagedPool(t, { settings: { min: 2 } });
    await clock.pass(0.01);
    const taking = pool.take(never);
    pool.drain();
    at(1).getReady();
    assert.equal(numberOf(await taking), 1);
    at(0).getReady();
    await until(() => at(0).disposals === 1);
    await clock.pass(1);
    assert.deepEqual(counts(), [0, 0, 1]);
    assert.equal(at(1).disposals, 0);
  });

  it('still serves a request that had its place before', async (t) => {
    const { pool, clock, at, sandboxes } = stagedPool(t, { settings: { min: 0 } });
    pool.drain();
    const taking = pool.take(never);
    at(0).open();
    const taken = await taking;
    await taken.dispose();
    await clock.pass(10);
    assert.deepEqual([sandboxes.length, at(0).disposals], [1, 1]);
  });

  it('fails those whose sandbox cannot start', async (t) => {
    const { pool, at } = stagedPool(t, { settings: { min: 0 } });
    const taking = pool.take(never);
    pool.drain();
    at(0).fail(new Error('no image'));
    await assert.rejects(taking, /no image/);
  });
});

describe('a pool that closes', () => {
  it('ends what starts, what imports and what is ready', async (t) => {
    const { pool, clock, at, counts, events, sandboxes } = stagedPool(t, { settings: { min: 3 } });
    await clock.pass(0.01);
    at(1).open();
    at(2).getReady();
    await until(() => pool.state().ready === 1 && at(1).stage === 'preloading');
    const told = events.length;
    await pool.close();
    assert.deepEqual(counts(), [0, 0, 0]);
    assert.deepEqual(
      sandboxes.map(({ stage, disposals }) => [stage, disposals]),
      [
        ['failed', 0],
        ['failed', 1],
        ['preloaded', 1],
      ],
    );
    await clock.pass(120);
    assert.equal(sandboxes.length, 3);
    assert.equal(events.length, told, 'its own end is no failure');
  });

  it('leaves claimed sandboxes to their runs', async (t) => {
    const { pool, clock, at } = stagedPool(t, { opening: prompt });
    await clock.pass(1);
    const taken = await pool.take(never);
    await pool.close();
    assert.equal(at(0).disposals, 0);
    await taken.dispose();
    assert.equal(at(0).disposals, 1);
  });

  it('closes once more', async (t) => {
    const { pool, clock, at } = stagedPool(t, { opening: prompt });
    await clock.pass(1);
    await pool.close();
    await pool.close();
    assert.equal(at(0).disposals, 1);
  });

  it('waits until what it ends is away', async () => {
    const away = Promise.withResolvers<undefined>();
    const backend = {
      open: () =>
        Promise.resolve({
          placedAt: 0,
          gone: never,
          preload: () => Promise.resolve({}),
          files: noFiles,
          run: () => {
            throw new Error('no run');
          },
          dispose: () => away.promise,
        }),
    };
    const limits = {
      poolMaxAgeSeconds: 100,
      maxTimeoutSeconds: 30,
      fetchSeconds: 30,
      startTimeoutSeconds: 60,
    };
    const pool = createPool(backend, poolSettings(), limits, { max: 1, now: 0 }, noEvents);
    await until(() => pool.state().ready === 1);
    let closed = false;
    const closing = pool.close().then(() => (closed = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(closed, false);
    away.resolve(undefined);
    await closing;
  });

  it('leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const backend = stagedBackend(prompt);
    const limits = {
      poolMaxAgeSeconds: 100,
      maxTimeoutSeconds: 30,
      fetchSeconds: 30,
      startTimeoutSeconds: 60,
    };
    const pool = createPool(backend, poolSettings(), limits, { max: 1, now: 0 }, noEvents);
    await until(() => pool.state().ready === 1);
    await pool.take(never);
    assert.ok(timers() > before);
    await pool.close();
    assert.equal(timers(), before);
  });

  it('leaves nobody waiting', async (t) => {
    const { pool } = stagedPool(t, { settings: { min: 0 } });
    let over = false;
    const taking = pool.take(never).finally(() => (over = true));
    taking.catch(() => undefined);
    await pool.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(over);
  });
});
