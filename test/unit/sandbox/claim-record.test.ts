import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { claimRecord } from '../../../src/sandbox/claim-record.ts';
import { ApiError, UnreachableError } from '../../../src/sandbox/client.ts';
import { claimPatch } from '../../../src/sandbox/job.ts';
import { fakeClient } from '../support/fake-client.ts';
import { mockClock } from '../support/mock-clock.ts';

const claim = {
  executionId: 'id',
  caller: '',
  requestKey: 'key',
  limits: { seconds: 30, cpu: 1, memory_mb: 512 },
};
const path = '/apis/batch/v1/namespaces/sandboxes/jobs/run-x';

/** The record of a run that began when its Job was 100.2 s old; `answers` are those of the API server, in their order. */
function recording(t: TestContext, ...answers: (Error | Promise<undefined>)[]) {
  const clock = mockClock(t);
  const createdAt = performance.now() - 100_200;
  const client = fakeClient({
    json: () => {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : (answer ?? {});
    },
  });
  const unrecorded: [string, unknown][] = [];
  const record = claimRecord(
    {
      path,
      createdAt,
      client,
      config: { fetchSeconds: 60 },
      onUnrecorded: (...what) => unrecorded.push(what),
    },
    claim,
  );
  t.after(() => {
    record.cancel();
  });
  /** The run has ended, and a moment has gone by. */
  const finish = async () => {
    const finished = record.finish();
    await clock.pass(0.1);
    await finished;
  };
  const writes = () => client.calls.map((call) => [call.method, call.path, call.body]);
  return { clock, record, finish, unrecorded, writes, calls: client.calls };
}

describe('the record of a run in a waiting sandbox', () => {
  it('is written once, when a short run has ended', async (t) => {
    const { clock, finish, record, writes, unrecorded } = recording(t);
    await clock.pass(0.9);
    assert.deepEqual(writes(), [], 'not beside the run');
    const finished = record.finish();
    await clock.pass(0.04);
    assert.deepEqual(writes(), [], 'not beside its answer');
    await clock.pass(0.02);
    await finished;
    // Its deadline counts from where the run began, and leaves time for its files.
    assert.deepEqual(writes(), [['PATCH', path, claimPatch(claim, 100.2, 60)]]);
    await clock.pass(10);
    await finish();
    assert.equal(writes().length, 1);
    assert.deepEqual(unrecorded, []);
  });

  it('is written after a second of a long run, and not again', async (t) => {
    const { clock, finish, writes } = recording(t);
    await clock.pass(0.98);
    assert.deepEqual(writes(), []);
    await clock.pass(0.04);
    assert.equal(writes().length, 1);
    await finish();
    assert.equal(writes().length, 1);
  });

  it('is waited for where it is being written', async (t) => {
    const answer = Promise.withResolvers<undefined>();
    const { clock, record, writes } = recording(t, answer.promise);
    await clock.pass(1.1);
    let written = false;
    const writing = record.finish().then(() => (written = true));
    await clock.pass(0.1);
    assert.equal(written, false);
    answer.resolve(undefined);
    await writing;
    assert.equal(writes().length, 1);
  });

  it('is not written where its Job goes', async (t) => {
    const { clock, record, writes } = recording(t);
    await clock.pass(0.5);
    record.cancel();
    await clock.pass(10);
    assert.deepEqual(writes(), []);
  });

  it('is written again where the API server did not take it', async (t) => {
    const { clock, record, writes, unrecorded } = recording(
      t,
      new UnreachableError('away'),
      new ApiError(503, '', 'busy'),
    );
    const writing = record.finish();
    await clock.pass(3);
    await writing;
    assert.equal(writes().length, 3);
    assert.deepEqual(unrecorded, []);
  });

  it('misses nothing where the Job is gone: its run was cancelled', async (t) => {
    const { finish, unrecorded } = recording(t, new ApiError(404, 'NotFound', 'jobs "run-x" not found'));
    await finish();
    assert.deepEqual(unrecorded, []);
  });

  it('says of which run it is missing, and throws nothing', async (t) => {
    const refused = new ApiError(403, 'Forbidden', 'jobs is forbidden');
    const { clock, finish, unrecorded, writes } = recording(t, refused);
    await finish();
    await finish();
    await clock.pass(10);
    assert.deepEqual(unrecorded, [['id', refused]]);
    assert.equal(writes().length, 1);
  });

  it('is given up in time where the API server stays away', async (t) => {
    const away = new UnreachableError('away');
    const { clock, record, unrecorded } = recording(t, ...Array.from({ length: 100 }, () => away));
    const writing = record.finish();
    await clock.pass(5);
    await writing;
    assert.deepEqual(unrecorded, [['id', away]]);
  });
});
