import type { V1Pod } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import { busyShare } from './processors.ts';
import { poolState, type Vivarium } from './servers.ts';

const longestSeconds = 90;

/** The processors are at rest where they are busy for less than this part of a moment; others may keep them from it. */
const restingPart = 0.3;
const momentMs = 150;
const mostMoments = 10;

/**
 * Waits until nothing goes on that a measurement would feel: the pool is full, of what ran before nothing is left but the
 * pool and the pod of the exec arm, and the cluster has done what follows from that.
 */
export async function quiet(cluster: Cluster, servers: Vivarium[], signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + longestSeconds * 1000;
  let busy = await whatIsBusy(cluster, servers, signal);
  while (busy !== undefined) {
    if (performance.now() > deadline) throw new Error(`After ${longestSeconds} s still busy: ${busy}`);
    await sleep(100, undefined, { signal });
    busy = await whatIsBusy(cluster, servers, signal);
  }
  for (let moment = 0; moment < mostMoments; moment += 1) {
    const share = busyShare();
    await sleep(momentMs, undefined, { signal });
    if (share() < restingPart) return;
  }
}

async function whatIsBusy(
  { client, release }: Cluster,
  servers: Vivarium[],
  signal: AbortSignal,
): Promise<string | undefined> {
  let expected = 0;
  for (const vivarium of servers.filter(({ poolSize }) => poolSize > 0)) {
    const { ready, starting } = await poolState(vivarium);
    expected += vivarium.poolSize;
    if (ready !== vivarium.poolSize || starting > 0)
      return `the pool has ${ready} ready, ${starting} starting`;
  }
  const count = async (namespace: string) =>
    (await client.json<{ items: V1Pod[] }>(`/api/v1/namespaces/${namespace}/pods`, { signal })).items.length;
  const [sandboxes, plain] = await Promise.all([count(release.sandboxes), count(release.namespace)]);
  if (sandboxes !== expected) return `${sandboxes} sandboxes, not ${expected}`;
  return plain === 1 ? undefined : `${plain} plain pods, not 1`;
}
