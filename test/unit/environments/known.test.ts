import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createKnown } from '../../../src/environments/known.ts';
import type { EnvironmentRecord } from '../../../src/schedule/backend.ts';
import { mockTimers } from '../support/mock-timers.ts';

const never = new AbortController().signal;
const start = Date.parse('2026-11-21T12:00:00Z');
const minutes = 60_000;
const ago = (ms: number) => new Date(start - ms).toISOString();

function record(used: string): EnvironmentRecord {
  return { requirements: ['polars'], bytes: 1000, created: ago(1000 * minutes), used, shadows: [] };
}

function knowing(t: TestContext, there: Record<string, EnvironmentRecord>, put = () => Promise.resolve()) {
  const timers = mockTimers(t, ['Date']);
  timers.setTime(start);
  const calls: string[] = [];
  const stored = new Map(Object.entries(there));
  const failures: string[] = [];
  const known = createKnown(
    {
      all() {
        calls.push('all');
        return Promise.resolve({ records: new Map(stored), version: '1' });
      },
      put(key, value) {
        calls.push(`put ${key} ${value.used}`);
        stored.set(key, value);
        return put();
      },
      forget: () => Promise.resolve(true),
    },
    (key) => failures.push(key),
  );
  return {
    known,
    calls,
    failures,
    stored,
    pass: (ms: number) => {
      timers.setTime(Date.now() + ms);
    },
  };
}

describe('createKnown', () => {
  it('makes no call for what is in use here', async (t) => {
    const { known, calls, pass } = knowing(t, {});
    await known.add('a', record(ago(0)));
    assert.deepEqual(calls, [`put a ${ago(0)}`]);
    pass(9 * minutes);
    assert.ok(await known.find('a', never));
    assert.equal(calls.length, 1);
  });

  it('says once in ten minutes that it is in use', async (t) => {
    const { known, calls, pass } = knowing(t, { a: record(ago(60 * minutes)) });
    assert.equal((await known.find('a', never))?.used, ago(0));
    assert.deepEqual(calls, ['all', `put a ${ago(0)}`]);
    pass(5 * minutes);
    await known.find('a', never);
    assert.equal(calls.length, 2);
    pass(6 * minutes);
    await known.find('a', never);
    assert.deepEqual(calls.slice(2), ['all', `put a ${ago(-11 * minutes)}`]);
  });

  it('leaves that to another replica that has said it', async (t) => {
    const { known, calls, pass } = knowing(t, { a: record(ago(6 * minutes)) });
    await known.find('a', never);
    pass(3 * minutes);
    await known.find('a', never);
    assert.deepEqual(calls, ['all']);
    pass(2 * minutes);
    await known.find('a', never);
    assert.equal(calls.length, 3);
  });

  it('reads the records once for many', async (t) => {
    const there = { a: record(ago(minutes)), b: record(ago(minutes)) };
    const { known, calls } = knowing(t, there);
    await known.find('a', never);
    await known.find('b', never);
    assert.deepEqual(calls, ['all']);
  });

  it('asks again for what was not there', async (t) => {
    const { known, stored } = knowing(t, {});
    assert.equal(await known.find('a', never), undefined);
    stored.set('a', record(ago(minutes)));
    assert.ok(await known.find('a', never));
  });

  it('believes one that says that it is gone', async (t) => {
    const { known, stored } = knowing(t, { a: record(ago(minutes)) });
    await known.find('a', never);
    stored.delete('a');
    known.remove('a');
    assert.equal(await known.find('a', never), undefined);
  });

  it('tells of records that cannot be written, and asks again', async (t) => {
    const { known, calls, failures } = knowing(t, {}, () => Promise.reject(new Error('no')));
    await known.add('a', record(ago(0)));
    assert.deepEqual(failures, ['a']);
    await known.find('a', never);
    assert.ok(calls.includes('all'));
  });
});
