import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planEvictions, type Room } from '../../../src/environments/plan.ts';
import type { EnvironmentRecord } from '../../../src/schedule/backend.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const minute = 60;
const day = 86_400;

const room: Room = {
  bytes: 1000,
  reserved: 200,
  recordCharacters: 100_000,
  maxAgeSeconds: 30 * day,
  inUseSeconds: 17 * minute,
};

/** Environments of these sizes that were last used so many seconds ago. */
function records(...given: [key: string, bytes: number, unusedSeconds: number][]) {
  const entries = given.map(([key, bytes, unused]): [string, EnvironmentRecord] => [
    key,
    {
      requirements: [],
      bytes,
      created: '2026-01-01T00:00:00Z',
      used: new Date(now - unused * 1000).toISOString(),
      shadows: [],
    },
  ]);
  return new Map(entries);
}

describe('planEvictions', () => {
  it('evicts nothing while there is room for another', () => {
    assert.deepEqual(planEvictions(records(['a', 400, day], ['b', 400, day]), now, room), []);
    assert.deepEqual(planEvictions(new Map(), now, room), []);
  });

  it('evicts those unused longest, and no more than it takes', () => {
    const there = records(['new', 300, day], ['old', 300, 3 * day], ['middle', 300, 2 * day]);
    assert.deepEqual(planEvictions(there, now, room), ['old']);
    assert.deepEqual(planEvictions(there, now, { ...room, reserved: 500 }), ['old', 'middle']);
  });

  it('evicts what nobody has used for long, though there is room', () => {
    const there = records(['forgotten', 10, 31 * day], ['known', 10, 29 * day]);
    assert.deepEqual(planEvictions(there, now, room), ['forgotten']);
  });

  it('evicts nothing that may be in use, even where there is no room then', () => {
    const there = records(['used', 900, 16 * minute], ['unused', 90, 18 * minute]);
    assert.deepEqual(planEvictions(there, now, room), ['unused']);
    assert.deepEqual(planEvictions(there, now, { ...room, maxAgeSeconds: 1 }), ['unused']);
  });

  it('takes a time of use that is to come for use now', () => {
    assert.deepEqual(planEvictions(records(['a', 2000, -minute]), now, room), []);
  });

  it('keeps the records within what one object holds', () => {
    const many = Array.from({ length: 10 }, (_, at): [string, number, number] => [
      `e${at}`,
      1,
      (at + 1) * day,
    ]);
    const evicted = planEvictions(records(...many), now, { ...room, recordCharacters: 900 });
    assert.ok(evicted.length > 0 && evicted.length < 10, String(evicted));
    assert.equal(evicted[0], 'e9');
  });
});
