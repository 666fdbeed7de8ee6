import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { callerLabel } from '../../../src/sandbox/names.ts';
import { findTrace } from '../../../src/sandbox/record.ts';
import { builds } from '../../../src/schedule/backend.ts';
import { fakeClient } from '../support/fake-client.ts';
import { exit, lines, numbered, out, ready, started } from '../support/frames.ts';

const { signal } = new AbortController();
const settings = { namespace: 'sandboxes', outputBytes: 1000 };
const limits = { seconds: 30, cpu: 1, memory_mb: 512 };
const metadata = { name: 'run-x', annotations: { 'vivarium.dev/limits': JSON.stringify(limits) } };
const failed = { conditions: [{ type: 'Failed', status: 'True' }] };

function find(cluster: { jobs: object[]; pods: object[]; log?: Buffer }) {
  const client = fakeClient({
    json: ({ path }) => ({ items: path.endsWith('/jobs') ? cluster.jobs : cluster.pods }),
    stream: () => Readable.from([cluster.log ?? Buffer.alloc(0)]),
  });
  return findTrace(client, settings, { executionId: 'x', caller: '' }, signal);
}

describe('findTrace', () => {
  it('finds nothing where there is no Job', async () => {
    assert.equal(await find({ jobs: [], pods: [] }), undefined);
  });

  it('reads the frames of the pod, and the limits of the Job', async () => {
    const frames = numbered(ready, started, out('1\n'), exit());
    const pod = { metadata: { name: 'run-x-abc' }, status: { phase: 'Running' } };
    const trace = await find({ jobs: [{ metadata }], pods: [pod], log: lines(frames) });
    assert.deepEqual(trace, { executionId: 'x', limits, frames, lost: undefined });
  });

  it('does not take a Job without a pod for one that starts, once it has failed', async () => {
    const starting = await find({ jobs: [{ metadata }], pods: [] });
    assert.equal(starting?.lost, undefined);
    const over = await find({ jobs: [{ metadata, status: failed }], pods: [] });
    assert.deepEqual([over?.lost?.cause, over?.frames], ['unknown', []]);
  });

  it('finds the pod by the name of its Job: one that waited in a pool is not labelled as the run', async () => {
    const client = fakeClient({
      json: ({ path }) => ({ items: path.endsWith('/jobs') ? [{ metadata }] : [] }),
    });
    await findTrace(client, settings, { executionId: 'the-run', caller: '' }, signal);
    const ours = 'app.kubernetes.io/managed-by=vivarium';
    assert.deepEqual(
      client.calls.map(({ path, query }) => [path, query?.labelSelector]),
      [
        [
          '/apis/batch/v1/namespaces/sandboxes/jobs',
          `${ours},vivarium.dev/execution=the-run,vivarium.dev/caller!=${callerLabel(builds)}`,
        ],
        ['/api/v1/namespaces/sandboxes/pods', `${ours},batch.kubernetes.io/job-name=run-x`],
      ],
    );
  });
});
