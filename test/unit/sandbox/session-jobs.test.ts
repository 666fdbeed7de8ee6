import type { V1Job } from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SessionEnd, sessionEnds } from '../../../src/schedule/backend.ts';
import { ApiError } from '../../../src/sandbox/client.ts';
import { endPatch, extendPatch, makeSessionJob } from '../../../src/sandbox/job.ts';
import {
  findSession,
  sessionEnd,
  sessionOwners,
  sessionSandbox,
  sessionsOf,
} from '../../../src/sandbox/session-jobs.ts';
import { fakeBackend } from '../support/fake-backend.ts';
import { fakeClient } from '../support/fake-client.ts';
import { config } from '../support/settings.ts';

const never = new AbortController().signal;
const owner = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'vivarium-a', uid: 'uid' };
const key = '0123456789abcdef'.repeat(3).slice(0, 40);
const spec = {
  key,
  caller: 'alice',
  kind: { image: 'image', runtimeClass: '', cpu: 1, memory_mb: 64 },
  maxAgeSeconds: 1000,
  lifeSeconds: 100,
};
const settings = config({ advertiseUrl: 'http://10.0.0.1:8000' });
const job = makeSessionJob(settings, spec, owner);

/** The Job with its end written on it. */
function ended(why: string): V1Job {
  const copy = structuredClone(job);
  Object.assign(copy.metadata ?? {}, { annotations: { 'vivarium.dev/ended': why } });
  return copy;
}

function failed(of: V1Job): V1Job {
  return Object.assign(structuredClone(of), { status: { conditions: [{ type: 'Failed', status: 'True' }] } });
}

describe('the Job of a session', () => {
  it('says whose it is and where, and has two deadlines', () => {
    assert.equal(job.metadata?.name, `session-${key}`);
    assert.deepEqual(job.metadata.labels, {
      'app.kubernetes.io/name': 'vivarium-sandbox',
      'app.kubernetes.io/managed-by': 'vivarium',
      'vivarium.dev/replica': 'replica-1',
      'vivarium.dev/role': 'sandbox',
      'vivarium.dev/session': key,
      'vivarium.dev/caller': job.metadata.labels?.['vivarium.dev/caller'],
    });
    assert.deepEqual(job.metadata.annotations, { 'vivarium.dev/url': 'http://10.0.0.1:8000' });
    assert.deepEqual(job.metadata.ownerReferences, [owner]);
    const { startTimeoutSeconds: start } = settings;
    // Of the Job for its first life, and of its pod for the longest.
    assert.equal(job.spec?.activeDeadlineSeconds, start + 100 + 105);
    assert.equal(job.spec.template.spec?.activeDeadlineSeconds, start + 1000 + 90);
    assert.equal(job.spec.ttlSecondsAfterFinished, settings.retentionSeconds);
    assert.match(`${job.metadata.name ?? ''}-abcde`, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  });

  it('has room for all that the kubelet keeps of a log, which grows over its runs', () => {
    const resources = job.spec?.template.spec?.containers[0]?.resources;
    // Five files of 244 MiB and of what comes in 10 s.
    assert.equal(resources?.limits?.['ephemeral-storage'], '4420Mi');
    assert.equal(resources.requests?.['ephemeral-storage'], '64Mi');
  });

  it('lives on, and becomes a record that its replica does not take with it', () => {
    assert.deepEqual(extendPatch(50.5, 100), { spec: { activeDeadlineSeconds: 256 } });
    assert.deepEqual(endPatch(50.5, 'idle'), {
      metadata: { annotations: { 'vivarium.dev/ended': 'idle' }, ownerReferences: null },
      spec: { activeDeadlineSeconds: 56 },
    });
  });

  it('says how the session ended', () => {
    for (const why of sessionEnds) assert.equal(sessionEnd(ended(why)), why);
    assert.equal(sessionEnd(job), undefined);
    assert.equal(sessionEnd(ended('unheard of')), undefined);
    assert.equal(sessionEnd(failed(job)), 'sandbox_lost');
    assert.equal(sessionEnd(failed(ended('idle'))), 'idle');
  });
});

describe('a session in the cluster', () => {
  it('is found by its key', async () => {
    const client = fakeClient({ json: () => ended('idle') });
    assert.deepEqual(await findSession(client, '/jobs', key, never), {
      replica: 'replica-1',
      url: '',
      ended: 'idle',
    });
    assert.equal(client.calls[0]?.path, `/jobs/session-${key}`);
    const missing = fakeClient({ json: () => Promise.reject(new ApiError(404, 'NotFound', '')) });
    assert.equal(await findSession(missing, '/jobs', key, never), undefined);
    const refusing = fakeClient({ json: () => Promise.reject(new ApiError(403, '', 'no')) });
    await assert.rejects(findSession(refusing, '/jobs', key, never), { name: 'ApiError', message: 'no' });
  });

  it('counts for its caller while it lives', async () => {
    const client = fakeClient({ json: () => ({ items: [job, ended('idle')] }) });
    assert.deepEqual(await sessionsOf(client, '/jobs', 'alice', never), [key]);
    const selector = client.calls[0]?.query?.labelSelector ?? '';
    assert.match(selector, /,vivarium\.dev\/session,vivarium\.dev\/caller=[0-9a-f]{40}$/);
  });

  it('says where its owner is, as long as it lives', async () => {
    const at = (advertiseUrl: string) => makeSessionJob({ ...settings, advertiseUrl }, spec, owner);
    const items = [at('http://a:1'), at('http://b:1'), at('http://a:1'), at(''), ended('idle')];
    const client = fakeClient({ json: () => ({ items }) });
    assert.deepEqual(await sessionOwners(client, '/jobs', never), ['http://a:1', 'http://b:1']);
  });

  const sandboxOn = async (json: () => unknown) => {
    const client = fakeClient({ json });
    const done: string[] = [];
    const ofJob = {
      client,
      path: '/jobs/a',
      createdAt: performance.now(),
      hangUp: () => done.push('hang up'),
      remove: () => Promise.resolve(void done.push('remove')),
      forget: () => done.push('forget'),
    };
    const open = { kind: spec.kind, pool: undefined, claim: undefined, lifeSeconds: 1, build: false };
    const sandbox = await fakeBackend().open(open, never);
    return { client, done, session: sessionSandbox(ofJob, sandbox) };
  };

  it('writes its end down before its agent ends', async () => {
    const why: SessionEnd = 'too_old';
    const { client, done, session } = await sandboxOn(() => ({}));
    await session.extend(10, never);
    await session.end(why);
    assert.deepEqual(
      client.calls.map(({ method, body }) => [method, body]),
      [
        ['PATCH', extendPatch(0.5, 10)],
        ['PATCH', endPatch(0.5, why)],
      ],
    );
    assert.deepEqual(done, ['hang up', 'forget']);
  });

  it('is taken away where its end cannot be written down', async () => {
    const { done, session } = await sandboxOn(() => Promise.reject(new ApiError(404, 'NotFound', '')));
    await session.end('idle');
    assert.deepEqual(done, ['hang up', 'remove']);
  });
});
