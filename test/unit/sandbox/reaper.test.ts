import assert from 'node:assert/strict';
import type { V1Job } from '@kubernetes/client-node';
import { describe, it } from 'node:test';
import { ApiError } from '../../../src/sandbox/client.ts';
import { deleteJob, orphans, reap } from '../../../src/sandbox/reaper.ts';
import { fakeClient } from '../support/fake-client.ts';
import { mockTimers } from '../support/mock-timers.ts';
import { until } from '../support/until.ts';

function job(name: string, rest: { type?: string; status?: string; deleted?: boolean } = {}): V1Job {
  return {
    metadata: { name, ...(rest.deleted && { deletionTimestamp: new Date() }) },
    status:
      rest.type === undefined ? {} : { conditions: [{ type: rest.type, status: rest.status ?? 'True' }] },
  };
}

describe('orphans', () => {
  it('are Jobs that nobody runs and that have not finished', () => {
    const jobs = [
      job('live'),
      job('left'),
      job('completed', { type: 'Complete' }),
      job('failed', { type: 'Failed' }),
      job('failing', { type: 'FailureTarget' }),
      job('not-failed', { type: 'Failed', status: 'False' }),
      job('going', { deleted: true }),
      {},
    ];
    assert.deepEqual(orphans(jobs, new Set(['live'])), ['left', 'failing', 'not-failed']);
    assert.deepEqual(orphans([], new Set(['live'])), []);
  });
});

describe('reap', () => {
  it('deletes orphans every 15 seconds, through failures, until it is told to stop', async (t) => {
    const timers = mockTimers(t);
    const stop = new AbortController();
    const reaped: string[] = [];
    let away = true;
    const client = fakeClient({
      json: ({ method }) => {
        if (method === 'DELETE') return {};
        if (away) throw new Error('away');
        return { items: [job('left'), job('live')] };
      },
    });
    const reaping = reap(
      client,
      'sandboxes',
      'one',
      new Set(['live']),
      (name) => reaped.push(name),
      stop.signal,
    );
    timers.tick(14_999);
    assert.equal(client.calls.length, 0);
    timers.tick(1);
    await until(() => client.calls.length === 1);
    assert.deepEqual(client.calls[0]?.query, {
      labelSelector: 'app.kubernetes.io/managed-by=vivarium,vivarium.dev/replica=one',
    });
    away = false;
    await until(() => {
      timers.tick(15_000);
      return reaped.length > 0;
    });
    assert.deepEqual(reaped, ['left']);
    assert.equal(client.calls.at(-1)?.path, '/apis/batch/v1/namespaces/sandboxes/jobs/left');
    stop.abort();
    await reaping;
  });

  it('lets the Job of a run that has just ended complete', async (t) => {
    const timers = mockTimers(t);
    const stop = new AbortController();
    const reaped: string[] = [];
    let rounds = 0;
    const client = fakeClient({
      json: ({ method }) => {
        if (method === 'DELETE') return {};
        rounds += 1;
        return {
          items:
            [
              [job('ended'), job('left')],
              [job('left'), job('ended-later')],
            ][rounds - 1] ?? [],
        };
      },
    });
    const reaping = reap(client, 'sandboxes', 'one', new Set(), (name) => reaped.push(name), stop.signal);
    await until(() => {
      timers.tick(15_000);
      return rounds > 1;
    });
    await until(() => reaped.length > 0);
    assert.deepEqual(reaped, ['left']);
    stop.abort();
    await reaping;
  });
});

describe('deleteJob', () => {
  const { signal } = new AbortController();

  it('deletes the pods too, and does not mind a Job that is gone', async () => {
    const client = fakeClient({
      json: () => {
        throw new ApiError(404, 'NotFound', 'gone');
      },
    });
    await deleteJob(client, 'sandboxes', { name: 'run-a' }, signal);
    assert.equal(client.calls[0]?.method, 'DELETE');
    assert.deepEqual(client.calls[0].body, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
    });
  });

  it('leaves a newer one of the same name', async () => {
    const client = fakeClient({
      json: () => {
        throw new ApiError(409, 'Conflict', 'the UID in the precondition does not match');
      },
    });
    await deleteJob(client, 'sandboxes', { name: 'run-a', uid: '1' }, signal);
    assert.partialDeepStrictEqual(client.calls[0]?.body, { preconditions: { uid: '1' } });
    await assert.rejects(deleteJob(client, 'sandboxes', { name: 'run-a' }, signal), /precondition/);
  });

  it('says what else went wrong', async () => {
    const client = fakeClient({
      json: () => {
        throw new ApiError(403, 'Forbidden', 'no');
      },
    });
    await assert.rejects(deleteJob(client, 'sandboxes', { name: 'run-a' }, signal), /no/);
  });
});
