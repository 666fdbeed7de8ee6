import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plan, type Desired, type Observed, type Plan } from '../../../src/schedule/plan.ts';

const quiet: Observed = {
  ages: [],
  starting: 0,
  waiting: 0,
  arrivalsPerSecond: 0,
  refillSeconds: 2,
  failures: 0,
  secondsSinceFailure: Infinity,
};
const wanted: Desired = { min: 2, max: 10, maxAgeSeconds: 1000, room: 8 };

interface Row {
  what: string;
  seen?: Partial<Observed>;
  desired?: Partial<Desired>;
  then: Partial<Plan>;
}

const fresh = (count: number) => Array.from({ length: count }, () => 10);

const sizes: Row[] = [
  { what: 'an empty pool is filled to min', then: { target: 2, create: 2, retire: 0, againSeconds: 5 } },
  { what: 'at min nothing happens', seen: { ages: [10, 5] }, then: { target: 2, create: 0, retire: 0 } },
  { what: 'what is on its way counts', seen: { ages: [10], starting: 1 }, then: { create: 0 } },
  { what: 'a pool of none stays empty', desired: { min: 0 }, then: { target: 0, create: 0, retire: 0 } },
  {
    what: 'demand keeps half as many more ready as arrive while one is made',
    seen: { arrivalsPerSecond: 2, ages: fresh(2) },
    then: { target: 6, create: 4 },
  },
  {
    what: 'a slower refill keeps more',
    seen: { arrivalsPerSecond: 1, refillSeconds: 5 },
    then: { target: 8, create: 8 },
  },
  {
    what: 'demand never goes past max',
    seen: { arrivalsPerSecond: 100, ages: fresh(9) },
    then: { target: 10, create: 1 },
  },
  {
    what: 'a single arrival keeps one',
    seen: { arrivalsPerSecond: 0.05 },
    desired: { min: 0 },
    then: { target: 1, create: 1 },
  },
  {
    what: 'what is left of a demand that faded keeps none',
    seen: { arrivalsPerSecond: 0.003, ages: fresh(1) },
    desired: { min: 0 },
    then: { target: 0, create: 0, retire: 1 },
  },
  {
    what: 'when demand fades the surplus goes',
    seen: { ages: fresh(7) },
    then: { target: 2, create: 0, retire: 5 },
  },
];

const waits: Row[] = [
  {
    what: 'what starts for those that wait does not fill the pool',
    seen: { waiting: 3, starting: 3 },
    then: { create: 2 },
  },
  {
    what: 'what starts beyond them does',
    seen: { waiting: 3, starting: 4 },
    then: { create: 1 },
  },
  {
    what: 'fewer starting than wait is no debt of the pool',
    seen: { waiting: 3, starting: 1 },
    then: { create: 2 },
  },
  {
    what: 'no more start than there is room for',
    desired: { min: 9, room: 3 },
    then: { target: 9, create: 3 },
  },
  { what: 'none starts without room', desired: { room: 0 }, then: { create: 0 } },
  { what: 'less than no room is none', desired: { room: -4 }, then: { create: 0 } },
];

const ages: Row[] = [
  {
    what: 'nothing is replaced before its last tenth',
    seen: { ages: [899, 899] },
    then: { create: 0, retire: 0 },
  },
  {
    what: 'in its last tenth it is replaced, and stays',
    seen: { ages: [900, 10] },
    then: { create: 1, retire: 0 },
  },
  {
    what: 'its replacement is made once',
    seen: { ages: [900, 10], starting: 1 },
    then: { create: 0, retire: 0 },
  },
  {
    what: 'once the replacement is there it goes',
    seen: { ages: [900, 10, 1] },
    then: { create: 0, retire: 1 },
  },
  {
    what: 'at its age it goes, with or without one',
    seen: { ages: [1000, 999] },
    then: { create: 2, retire: 1 },
  },
  {
    what: 'all that are too old go at once',
    seen: { ages: [3000, 2000, 1000] },
    then: { create: 2, retire: 3 },
  },
];

const failing: Row[] = [
  ...[1, 2, 4, 8, 16, 32, 60, 60].map((pause, index) => ({
    what: `failure ${index + 1} in a row: ${pause} s without a start`,
    seen: { failures: index + 1, secondsSinceFailure: 0 },
    then: { create: 0, againSeconds: pause },
  })),
  {
    what: 'what is left of a pause is waited for',
    seen: { failures: 3, secondsSinceFailure: 1.5 },
    then: { create: 0, againSeconds: 2.5 },
  },
  {
    what: 'after the pause one starts, and no more',
    seen: { failures: 3, secondsSinceFailure: 4 },
    desired: { min: 5 },
    then: { create: 1, againSeconds: 5 },
  },
  {
    what: 'while that one starts no other does',
    seen: { failures: 3, secondsSinceFailure: 4, starting: 1 },
    desired: { min: 5 },
    then: { create: 0 },
  },
  {
    what: 'those that start for requests are not that one',
    seen: { failures: 3, secondsSinceFailure: 4, starting: 2, waiting: 2 },
    desired: { min: 5 },
    then: { create: 1 },
  },
  {
    what: 'after the pause, without room, none',
    seen: { failures: 1, secondsSinceFailure: 1 },
    desired: { room: 0 },
    then: { create: 0 },
  },
  {
    what: 'what is too old goes during a pause, too',
    seen: { failures: 1, secondsSinceFailure: 0, ages: [1000] },
    then: { create: 0, retire: 1 },
  },
];

for (const [what, rows] of Object.entries({ sizes, waits, ages, failing })) {
  describe(`plan: ${what}`, () => {
    for (const row of rows) {
      it(row.what, () => {
        const got = plan({ ...quiet, ...row.seen }, { ...wanted, ...row.desired });
        assert.deepEqual({ ...got, ...row.then }, got);
      });
    }
  });
}
