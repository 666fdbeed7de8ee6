/** A server that is killed takes nothing with it but what nobody owns any more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCaller } from './harness/clients.ts';
import { jobs, kubectl, ofExecution, ofReplica } from './harness/cluster.ts';
import { withServer } from './harness/fixture.ts';
import { startLive, vanished } from './harness/live.ts';
import { release } from './harness/release.ts';
import { both, startServer } from './harness/server.ts';

describe('the death of a server', { concurrency: 2 }, () => {
  it('another replica takes away its Jobs, once its Lease has run out', async () => {
    const [victim, survivor] = await both(startServer('kubernetes'), startServer('kubernetes'));
    try {
      await withCaller('v2 modern', victim.mcpUrl, (caller) =>
        withCaller('v2 modern', survivor.mcpUrl, async (other) => {
          const [live, spared] = await Promise.all([startLive(caller), startLive(other)]);
          victim.kill('SIGKILL');

          await vanished('kubernetes', live, 90);
          assert.deepEqual(await jobs(ofReplica(victim.replica)), []);
          const leases = await kubectl(['get', 'leases', '-n', release().sandboxes, '-o', 'name']);
          assert.ok(leases.includes(survivor.replica) && !leases.includes(victim.replica), leases);
          // The survivor's own run went on.
          assert.equal((await jobs(ofExecution(spared.id))).length, 1);
          spared.cancel.abort();
          await vanished('kubernetes', spared, 30);
        }),
      );
    } finally {
      await Promise.all([victim.stop(), survivor.stop()]);
    }
  });

  it('local sandboxes end with it', async () => {
    await withServer('local', {}, async (caller, victim) => {
      const live = await startLive(caller);
      victim.kill('SIGKILL');
      await vanished('local', live, 15);
    });
  });
});
