import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ApiError, UnreachableError } from '../../../src/sandbox/client.ts';
import { isExpired, leaseSeconds, startHeartbeat, type Lease } from '../../../src/sandbox/lease.ts';
import { fakeClient, type FakeCall } from '../support/fake-client.ts';
import { mockTimers } from '../support/mock-timers.ts';
import { until } from '../support/until.ts';

function lease(name: string, renewTime: string, uid = name): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'sandboxes', labels: {}, uid, resourceVersion: '1' },
    spec: {
      holderIdentity: name.replace('vivarium-', ''),
      leaseDurationSeconds: 30,
      acquireTime: renewTime,
      renewTime,
    },
  };
}

describe('isExpired', () => {
  const renewed = '2030-01-01T00:00:00.000000Z';
  for (const [now, expired] of [
    ['2029-12-31T00:00:00Z', false],
    ['2030-01-01T00:00:00Z', false],
    ['2030-01-01T00:00:30.000Z', false],
    ['2030-01-01T00:00:30.001Z', true],
    ['2030-01-02T00:00:00Z', true],
  ] as const) {
    it(`${now}: ${expired}`, () => {
      assert.equal(isExpired(lease('a', renewed), new Date(now)), expired);
    });
  }
});

/** Leases as an API server keeps them. */
function store() {
  const kept = new Map<string, Lease>();
  let uids = 0;
  let failure: Error | undefined;
  const answer = ({ method = 'GET', path, body }: FakeCall): unknown => {
    if (failure) throw failure;
    const name = path.split('/leases/')[1];
    if (method === 'GET') return { items: [...kept.values()] };
    if (method === 'POST') {
      const sent = body as Lease;
      if (kept.has(sent.metadata.name)) throw new ApiError(409, 'AlreadyExists', 'there is one');
      const made = { ...sent, metadata: { ...sent.metadata, uid: `uid-${++uids}`, resourceVersion: '1' } };
      kept.set(made.metadata.name, made);
      return made;
    }
    const found = kept.get(name ?? '');
    if (!found) throw new ApiError(404, 'NotFound', 'there is none');
    if (method === 'DELETE') {
      kept.delete(name ?? '');
      return {};
    }
    const sent = body as Lease;
    if (sent.metadata.resourceVersion !== found.metadata.resourceVersion)
      throw new ApiError(409, 'Conflict', 'changed');
    const version = String(Number(found.metadata.resourceVersion) + 1);
    const changed = { ...sent, metadata: { ...sent.metadata, resourceVersion: version } };
    kept.set(changed.metadata.name, changed);
    return changed;
  };
  const client = fakeClient({ json: answer });
  return {
    kept,
    client,
    fail: (error: Error | undefined) => {
      failure = error;
    },
    count: (method: string) => client.calls.filter((call) => (call.method ?? 'GET') === method).length,
  };
}

async function beating(t: TestContext, api: ReturnType<typeof store>) {
  const timers = mockTimers(t, ['setTimeout', 'Date']);
  timers.setTime(Date.parse('2030-01-01T00:00:00Z'));
  const expired: string[] = [];
  const heartbeat = await startHeartbeat(
    api.client,
    'sandboxes',
    'one',
    (replica) => expired.push(replica),
    new AbortController().signal,
  );
  /** Lets time pass until the next renewal. */
  const beat = () => {
    const before = api.count('PUT');
    return until(() => {
      const isDone = api.count('PUT') > before;
      if (!isDone) timers.tick(1000);
      return isDone;
    });
  };
  return { heartbeat, expired, beat };
}

describe('startHeartbeat', () => {
  it('makes a Lease, renews it, and deletes it at the end', async (t) => {
    const api = store();
    const { heartbeat, beat } = await beating(t, api);
    assert.deepEqual(api.kept.get('vivarium-one'), {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: 'vivarium-one',
        namespace: 'sandboxes',
        labels: { 'app.kubernetes.io/managed-by': 'vivarium' },
        uid: 'uid-1',
        resourceVersion: '1',
      },
      spec: {
        holderIdentity: 'one',
        leaseDurationSeconds: leaseSeconds,
        acquireTime: '2030-01-01T00:00:00.000000Z',
        renewTime: '2030-01-01T00:00:00.000000Z',
      },
    });
    assert.deepEqual(heartbeat.owner(), {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      name: 'vivarium-one',
      uid: 'uid-1',
    });
    await beat();
    const renewed = api.kept.get('vivarium-one')?.spec;
    assert.equal(renewed?.acquireTime, '2030-01-01T00:00:00.000000Z');
    assert.match(renewed.renewTime, /^2030-01-01T00:00:[12]\d\.\d{6}Z$/);
    await heartbeat.close();
    assert.equal(api.kept.size, 0);
  });

  it('replaces the Lease of a dead predecessor', async (t) => {
    const api = store();
    api.kept.set('vivarium-one', lease('vivarium-one', '2030-01-01T00:00:00.000000Z', 'old'));
    const { heartbeat } = await beating(t, api);
    assert.equal(heartbeat.owner().uid, 'uid-1');
    await heartbeat.close();
  });

  it('deletes the Leases of dead replicas, and only as it saw them', async (t) => {
    const api = store();
    api.kept.set('vivarium-dead', lease('vivarium-dead', '2029-12-31T23:59:29.000000Z'));
    api.kept.set('vivarium-alive', lease('vivarium-alive', '2029-12-31T23:59:31.000000Z'));
    const { heartbeat, expired } = await beating(t, api);
    await until(() => expired.length > 0);
    assert.deepEqual(expired, ['dead']);
    assert.deepEqual([...api.kept.keys()], ['vivarium-alive', 'vivarium-one']);
    const deletion = api.client.calls.findLast(({ method }) => method === 'DELETE');
    assert.deepEqual(deletion?.body, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      preconditions: { uid: 'vivarium-dead', resourceVersion: '1' },
    });
    await heartbeat.close();
  });

  it('makes a new Lease where its own was deleted', async (t) => {
    const api = store();
    const { heartbeat, beat } = await beating(t, api);
    api.kept.delete('vivarium-one');
    await beat();
    await until(() => api.kept.has('vivarium-one'));
    await until(() => heartbeat.owner().uid === 'uid-2');
    await heartbeat.close();
    assert.equal(api.kept.size, 0);
  });

  it('takes over a change that it did not see', async (t) => {
    const api = store();
    const { heartbeat, beat } = await beating(t, api);
    const mine = api.kept.get('vivarium-one');
    assert.ok(mine);
    api.kept.set('vivarium-one', { ...mine, metadata: { ...mine.metadata, resourceVersion: '7' } });
    await beat();
    await beat();
    await until(() => api.kept.get('vivarium-one')?.metadata.resourceVersion === '8');
    assert.equal(heartbeat.owner().uid, 'uid-1');
    await heartbeat.close();
  });

  it('beats on through an API server that is away', async (t) => {
    const api = store();
    const { heartbeat, beat } = await beating(t, api);
    api.fail(new UnreachableError('away'));
    await beat();
    api.fail(undefined);
    await beat();
    await until(() => Number(api.kept.get('vivarium-one')?.metadata.resourceVersion) > 1);
    await heartbeat.close();
  });
});
