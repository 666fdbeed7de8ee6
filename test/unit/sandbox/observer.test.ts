import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createObserver, type Sighting } from '../../../src/sandbox/observer.ts';
import { fakeClient } from '../support/fake-client.ts';
import { until } from '../support/until.ts';
import { WatchBody } from '../support/watch-body.ts';

const running = { phase: 'Running', containerStatuses: [{ state: { running: {} } }] };

function podObject(job: string, status: object, resourceVersion = '1') {
  return {
    metadata: {
      name: `${job}-abcde`,
      uid: `uid-of-${job}`,
      resourceVersion,
      labels: { 'batch.kubernetes.io/job-name': job },
    },
    spec: { nodeName: 'node-1' },
    status,
  };
}

async function observing(t: TestContext, pods: object[] = []) {
  const bodies = new Map<string, WatchBody>();
  const list = [...pods];
  const client = fakeClient({
    json: ({ path }) => ({ metadata: { resourceVersion: '1' }, items: path.endsWith('/pods') ? list : [] }),
    stream: ({ path, query, signal }) => {
      const body = new WatchBody();
      signal.addEventListener('abort', () => body.destroy(new Error('aborted')), { once: true });
      const what = path.endsWith('/pods') ? 'pods' : /reason=(\w+)/.exec(query?.fieldSelector ?? '')?.[1];
      bodies.set(what ?? '', body);
      return body;
    },
  });
  const observer = createObserver(client, 'sandboxes', 'one');
  t.after(() => observer.close());
  await until(() => bodies.size === 3);
  const told = (what: string) => bodies.get(what) ?? assert.fail();
  return { client, observer, list, told };
}

const never = new AbortController().signal;
const stateOf = ({ phase }: Sighting) => phase.state;
const endOf = ({ phase }: Sighting) => (phase.state === 'ended' ? phase : undefined);

describe('createObserver', () => {
  it('asks for what it needs and no more', async (t) => {
    const { client } = await observing(t);
    const selectors = client.calls.map(({ path, query }) => [
      path,
      query?.labelSelector ?? query?.fieldSelector,
    ]);
    assert.deepEqual(
      new Set(selectors.map((selector) => selector.join(' '))),
      new Set([
        '/api/v1/namespaces/sandboxes/pods app.kubernetes.io/managed-by=vivarium,vivarium.dev/replica=one',
        '/api/v1/namespaces/sandboxes/events reason=Started,involvedObject.kind=Pod',
        '/api/v1/namespaces/sandboxes/events reason=FailedCreate,involvedObject.kind=Job',
      ]),
    );
  });

  it('tells what it knows at once, and what changes', async (t) => {
    const { observer, told } = await observing(t, [podObject('run-a', running)]);
    assert.equal(await observer.when('run-a', stateOf, never), 'running');
    assert.equal(await observer.when('run-b', stateOf, never), 'pending');
    const end = observer.when('run-a', endOf, never);
    const oom = {
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }],
    };
    told('pods').tell('MODIFIED', podObject('run-a', oom, '2'));
    assert.equal((await end).cause, 'out_of_memory');
  });

  it('learns of a start from the event before the status tells', async (t) => {
    const { observer, told } = await observing(t, [podObject('run-a', { phase: 'Pending' })]);
    const runs = observer.when(
      'run-a',
      (sighting) => (stateOf(sighting) === 'running' ? sighting : undefined),
      never,
    );
    told('Started').tell('ADDED', { involvedObject: { kind: 'Pod', uid: 'uid-of-other' } });
    told('Started').tell('ADDED', { involvedObject: { kind: 'Pod', uid: 'uid-of-run-a' } });
    assert.equal((await runs).pod?.metadata?.name, 'run-a-abcde');
  });

  it('learns why a Job has no pod', async (t) => {
    const { observer, told } = await observing(t);
    const phase = observer.when(
      'run-a',
      ({ phase: seen }) => (seen.state === 'failed' ? seen : undefined),
      never,
    );
    const message = 'Error creating: pods "run-a-" is forbidden: exceeded quota: q';
    told('FailedCreate').tell('ADDED', { involvedObject: { kind: 'Job', name: 'run-a' }, message });
    assert.equal((await phase).code, 'quota_exceeded');
  });

  it('remembers how a pod ended that is gone before anybody asks', async (t) => {
    const { observer, told } = await observing(t, [podObject('run-a', running), podObject('run-b', running)]);
    told('pods').tell('DELETED', podObject('run-a', running, '2'));
    const evicted = { phase: 'Failed', reason: 'Evicted', message: 'memory' };
    told('pods').tell('MODIFIED', podObject('run-b', evicted, '3'));
    told('pods').tell('DELETED', podObject('run-b', evicted, '4'));
    assert.equal((await observer.when('run-a', endOf, never)).cause, 'cancelled');
    assert.equal((await observer.when('run-b', endOf, never)).cause, 'evicted');
    assert.equal((await observer.when('run-b', endOf, never)).cause, 'evicted');
  });

  it('sees that a pod is gone which a new list lacks', async (t) => {
    const { observer, told, list } = await observing(t, [podObject('run-a', running)]);
    const end = observer.when('run-a', endOf, never);
    list.length = 0;
    told('pods').destroy(new Error('ECONNRESET'));
    assert.equal((await end).cause, 'cancelled');
  });

  it('says which watch is broken until it is there again', async (t) => {
    const { observer, told } = await observing(t);
    await until(() => observer.stale() === undefined);
    told('FailedCreate').destroy(new Error('ECONNRESET'));
    await until(() => observer.stale() !== undefined);
    assert.equal(
      observer.stale(),
      'The watch on events (reason=FailedCreate,involvedObject.kind=Job) in sandboxes is broken and being opened again.',
    );
    await until(() => observer.stale() === undefined);
  });

  it('throws what the asker throws, and the reason of its signal', async (t) => {
    const { observer } = await observing(t, [podObject('run-a', running)]);
    const thrown = new Error('no');
    const decide = () => {
      throw thrown;
    };
    await assert.rejects(observer.when('run-a', decide, never), thrown);
    await assert.rejects(observer.when('run-a', stateOf, AbortSignal.abort(thrown)), thrown);
    const stop = new AbortController();
    const waiting = observer.when('run-b', endOf, stop.signal);
    stop.abort(thrown);
    await assert.rejects(waiting, thrown);
  });

  it('tells the pods of a Job from those of another that had its name', async (t) => {
    const ofJob = (uid: string, status: object) => {
      const made = podObject('build', status);
      return { ...made, metadata: { ...made.metadata, uid: `pod-of-${uid}`, ownerReferences: [{ uid }] } };
    };
    const { observer, told } = await observing(t, [ofJob('first', running)]);
    assert.equal(await observer.when('build', stateOf, never), 'running');
    observer.expect('build', 'second');
    assert.equal(await observer.when('build', stateOf, never), 'pending');
    told('pods').tell('ADDED', ofJob('second', running));
    const state = await observer.when('build', ({ phase }) => phase.state === 'running' || undefined, never);
    told('pods').tell('DELETED', ofJob('first', running));
    told('pods').tell('MODIFIED', ofJob('second', { phase: 'Running' }));
    await observer.when('build', ({ phase }) => phase.state === 'scheduled' || undefined, never);
    assert.equal(state, true);
  });
});
