import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDemand } from '../../../src/schedule/demand.ts';

const second = 1000;

/** Arrivals at a steady rate; when the last one was. */
function arrive(demand: ReturnType<typeof createDemand>, perSecond: number, from: number, seconds: number) {
  const count = perSecond * seconds;
  for (let nth = 1; nth <= count; nth += 1) demand.arrived(from + (nth * second) / perSecond);
  return from + seconds * second;
}

const near = (actual: number, expected: number, what: string) => {
  assert.ok(Math.abs(actual - expected) <= expected * 0.1, `${what}: ${actual}, not about ${expected}`);
};

describe('createDemand', () => {
  it('is nothing before anyone came', () => {
    assert.equal(createDemand().perSecond(123_456), 0);
  });

  it('comes to a steady rate, and follows a change within a few windows', () => {
    const demand = createDemand();
    let now = arrive(demand, 5, 1_000_000, 80);
    near(demand.perSecond(now), 5, 'steady');
    now = arrive(demand, 20, now, 80);
    near(demand.perSecond(now), 20, 'risen');
    now = arrive(demand, 1, now, 120);
    near(demand.perSecond(now), 1, 'fallen');
  });

  it('rises by as much with each of a burst', () => {
    const demand = createDemand();
    for (let nth = 0; nth < 10; nth += 1) demand.arrived(0);
    near(demand.perSecond(0), 0.5, 'ten in 20 s');
  });

  it('fades away', () => {
    const demand = createDemand();
    const now = arrive(demand, 5, 0, 80);
    const rates = [0, 20, 60, 200].map((seconds) => demand.perSecond(now + seconds * second));
    near(rates[1] ?? 0, 5 / Math.E, 'after one window');
    assert.ok((rates[2] ?? 1) < 0.3 && (rates[3] ?? 1) < 0.001);
  });

  it('is not changed by being asked', () => {
    const demand = createDemand();
    demand.arrived(0);
    const once = demand.perSecond(5000);
    demand.perSecond(3000);
    assert.equal(demand.perSecond(5000), once);
  });
});
