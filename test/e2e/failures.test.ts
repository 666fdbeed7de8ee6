/** What the cluster cannot give is said at once, by its right name, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ExecutionRequestInput } from '../../src/request/execution.ts';
import { ToolError } from './harness/clients.ts';
import { gone, kubectl, ofReplica } from './harness/cluster.ts';
import { withServer } from './harness/fixture.ts';
import { forget, install, remove, type Release } from './harness/release.ts';
import type { Settings } from './harness/server.ts';
import { until } from './harness/until.ts';

const name = 'vivarium-e2e-odd';
const image = 'localhost:1/vivarium-unknown:0.0.0';

describe('what the cluster refuses', () => {
  let made: Release | undefined;
  before(async () => {
    await remove(name);
    made = await install(name, { replicas: 0, 'config.image': image, 'config.maxMemoryMb': 1_048_576 });
  });
  after(async () => {
    if (made) await forget(made);
    await remove(name);
  });

  /** The error of a call, which must come well before the limit for a start, and the Job of which must be gone. */
  async function failure(request: ExecutionRequestInput, settings: Settings = {}): Promise<ToolError> {
    assert.ok(made);
    const errors: unknown[] = [];
    const { kubeconfig, sandboxes } = made;
    const here = {
      KUBECONFIG: kubeconfig,
      VIVARIUM_NAMESPACE: sandboxes,
      VIVARIUM_IMAGE: image,
      VIVARIUM_MAX_MEMORY_MB: '1048576',
      ...settings,
    };
    await withServer('kubernetes', here, async (caller, server) => {
      const began = performance.now();
      const result = await caller.run(request).catch((thrown: unknown) => void errors.push(thrown));
      const seconds = (performance.now() - began) / 1000;
      assert.equal(result, undefined);
      assert.ok(seconds < 20, `It took ${seconds} s.`);
      await gone(ofReplica(server.replica), 15, sandboxes);
    });
    const [error] = errors;
    assert.ok(error instanceof ToolError, String(error));
    return error;
  }

  it('an image that no registry has', async () => {
    const { code, message } = await failure({ code: 'print(1)' });
    assert.deepEqual([code, message.includes(image)], ['image_pull_failed', true], message);
  });

  it('an image that the node does not have, and must not pull', async () => {
    const { code, message } = await failure({ code: 'print(1)' }, { VIVARIUM_IMAGE_PULL_POLICY: 'Never' });
    assert.deepEqual([code, message.includes(image)], ['image_pull_failed', true], message);
  });

  it('more memory than any node has', async () => {
    const { code, message } = await failure(
      { code: 'print(1)', limits: { memory_mb: 1_000_000 } },
      { VIVARIUM_UNSCHEDULABLE_SECONDS: '2' },
    );
    assert.equal(code, 'unschedulable', message);
    assert.match(message, /memory/);
  });

  it('an image that the admission policy does not allow', async () => {
    const { code, message } = await failure({ code: 'print(1)' }, { VIVARIUM_IMAGE: 'busybox:latest' });
    assert.equal(code, 'forbidden', message);
    assert.match(message, /A sandbox runs the image localhost:1/);
  });

  // The last one: from here on the namespace takes no pod.
  it('a quota of zero', async () => {
    assert.ok(made);
    const quota = ['resourcequota', name, '-n', made.sandboxes];
    await kubectl(['patch', ...quota, '--type=merge', '-p', '{"spec":{"hard":{"pods":"0"}}}']);
    await until(
      'the quota is in force',
      async () => (await kubectl(['get', ...quota, '-o', 'jsonpath={.status.hard.pods}'])) === '0',
      20,
    );
    const { code, message } = await failure({ code: 'print(1)' });
    assert.equal(code, 'quota_exceeded', message);
    assert.match(message, /pods=1|pods: 0|limited: pods=0/);
  });
});
