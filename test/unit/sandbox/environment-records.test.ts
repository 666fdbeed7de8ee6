import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '../../../src/sandbox/client.ts';
import { configMapRecords, parseRecords } from '../../../src/sandbox/environment-records.ts';
import { fakeClient, type FakeCall } from '../support/fake-client.ts';

const record = {
  requirements: ['polars'],
  bytes: 1000,
  created: '2026-11-01T00:00:00.000Z',
  used: '2026-11-02T00:00:00.000Z',
  shadows: [],
};
const path = '/api/v1/namespaces/sandboxes/configmaps/vivarium-environments';
const never = new AbortController().signal;

function recordsOf(json: (call: FakeCall) => unknown) {
  const client = fakeClient({ json });
  return { calls: client.calls, records: configMapRecords(client, 'sandboxes') };
}

describe('configMapRecords', () => {
  it('reads all, and which version that is', async () => {
    const { records } = recordsOf(() => ({
      metadata: { resourceVersion: '7' },
      data: { one: JSON.stringify(record) },
    }));
    assert.deepEqual(await records.all(never), { records: new Map([['one', record]]), version: '7' });
  });

  it('reads that there are none yet', async () => {
    const { records } = recordsOf(() => ({ metadata: { resourceVersion: '1' } }));
    assert.equal((await records.all(never)).records.size, 0);
  });

  it('writes one and leaves the others alone', async () => {
    const { records, calls } = recordsOf(() => ({}));
    await records.put('one', record, never);
    const [call] = calls;
    assert.deepEqual([call?.method, call?.path], ['PATCH', path]);
    assert.deepEqual(call?.body, { data: { one: JSON.stringify(record) } });
  });

  it('forgets some if nothing has changed', async () => {
    const { records, calls } = recordsOf(() => ({}));
    assert.equal(await records.forget(['one', 'two'], '7', never), true);
    assert.deepEqual(calls[0]?.body, { metadata: { resourceVersion: '7' }, data: { one: null, two: null } });
  });

  it('forgets nothing if something has', async () => {
    const { records, calls } = recordsOf(() => {
      throw new ApiError(409, 'Conflict', 'the object has been modified');
    });
    assert.equal(await records.forget(['one'], '7', never), false);
    assert.equal(calls.length, 1);
  });

  it('says what is missing', async () => {
    const { records } = recordsOf(() => {
      throw new ApiError(404, 'NotFound', 'configmaps "vivarium-environments" not found');
    });
    await assert.rejects(records.all(never), {
      code: 'environments_unavailable',
      message: /vivarium-environments in sandboxes: .*not found\. The chart makes it/,
    });
  });
});

describe('parseRecords', () => {
  it('passes over what is no record', () => {
    const data = { one: JSON.stringify(record), two: 'nonsense', three: '{}' };
    assert.deepEqual([...parseRecords(data).keys()], ['one']);
  });
});
