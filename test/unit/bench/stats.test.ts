import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bootstrapMedian, median, pairedRatios, quantile, shuffled, slope } from '../../../bench/stats.ts';
import { seededRandom } from '../support/random.ts';

describe('quantiles', () => {
  it('lie between neighbours by distance', () => {
    assert.equal(quantile([4, 1, 3, 2], 0), 1);
    assert.equal(quantile([4, 1, 3, 2], 1), 4);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(quantile([10, 20, 30, 40, 50], 0.95), 48);
  });

  it('of one value are that value, of none not a number', () => {
    assert.equal(quantile([7], 0.99), 7);
    assert.ok(Number.isNaN(median([])));
  });
});

describe('paired ratios', () => {
  it('are taken within a block, where both were measured', () => {
    const above = new Map([
      [1, 10],
      [2, 30],
      [3, 5],
    ]);
    const below = new Map([
      [2, 10],
      [1, 20],
      [4, 1],
    ]);
    assert.deepEqual(pairedRatios(above, below), [0.5, 3]);
  });
});

describe('the bootstrap', () => {
  const random = seededRandom(7);
  const values = Array.from({ length: 200 }, () => 100 + 20 * (random() - 0.5));

  it('holds the median between its bounds, which are close where there are many values', () => {
    const found = bootstrapMedian(values, seededRandom(1));
    assert.equal(found.median, median(values));
    assert.ok(found.low <= found.median && found.median <= found.high);
    assert.ok(found.high - found.low < 5, `${found.low} to ${found.high}`);
  });

  it('covers the true median as often as it says', () => {
    const draws = seededRandom(3);
    const covered = Array.from({ length: 200 }, () => {
      const sample = Array.from({ length: 25 }, () => draws());
      const { low, high } = bootstrapMedian(sample, draws, 400);
      return low <= 0.5 && 0.5 <= high;
    }).filter(Boolean).length;
    assert.ok(covered >= 180 && covered < 200, `${covered} of 200`);
  });

  it('gives the same with the same generator', () => {
    assert.deepEqual(bootstrapMedian(values, seededRandom(5)), bootstrapMedian(values, seededRandom(5)));
  });
});

describe('the slope', () => {
  it('is that of the line through the points', () => {
    assert.equal(
      slope([
        [0, 5],
        [1, 7],
        [2, 9],
      ]),
      2,
    );
  });

  it('goes between points that scatter', () => {
    assert.equal(
      slope([
        [0, 1],
        [1, -1],
        [2, -1],
        [3, 1],
      ]),
      0,
    );
  });
});

describe('shuffling', () => {
  it('keeps every item, and changes nothing that it is given', () => {
    const items = [1, 2, 3, 4, 5, 6, 7, 8];
    const order = shuffled(items, seededRandom(2));
    assert.deepEqual(order.toSorted(), items);
    assert.notDeepEqual(order, items);
    assert.deepEqual(items, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('puts each item first about equally often', () => {
    const random = seededRandom(4);
    const firsts = Array.from({ length: 3000 }, () => shuffled(['a', 'b', 'c'], random)[0]);
    for (const item of ['a', 'b', 'c']) {
      const times = firsts.filter((first) => first === item).length;
      assert.ok(Math.abs(times - 1000) < 120, `${item} ${times} times`);
    }
  });
});
