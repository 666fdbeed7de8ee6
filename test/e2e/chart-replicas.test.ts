/** Two servers of the chart reach each other's sessions, also where a NetworkPolicy names who may reach them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ToolError } from './harness/clients.ts';
import { kubectl, pods } from './harness/cluster.ts';
import { forward } from './harness/forward.ts';
import { forget, install, remove, type Release } from './harness/release.ts';
import { createSession, session } from './harness/sessions.ts';
import { until } from './harness/until.ts';

const name = 'vivarium-e2e-replicas';
const servers = { 'app.kubernetes.io/instance': name, 'app.kubernetes.io/component': 'server' };

const values = {
  replicas: 2,
  'config.defaultCpu': 0.25,
  'config.pools': [],
  'resources.requests.cpu': '50m',
  // Several replicas must share a store; nothing is put into this one.
  'artifacts.s3': { bucket: 'none', endpoint: 'http://127.0.0.1:9' },
  'networkPolicy.from': [{ podSelector: { matchLabels: { may: 'call' } } }],
};

describe('two servers of the chart', () => {
  let made: Release | undefined;
  before(async () => {
    await remove(name);
    made = await install(name, values);
    await kubectl(['rollout', 'status', `deployment/${name}`, '-n', name, '--timeout=90s'], { seconds: 100 });
  });
  after(async () => {
    if (made) await forget(made);
    await remove(name);
  });

  it('serve each other’s sessions', async () => {
    const [owner = '', other = ''] = (await pods(servers, name)).map(({ metadata }) => metadata?.name ?? '');
    await forward(name, owner, (near) =>
      forward(name, other, async (far) => {
        const here = await createSession(near);
        const there = session(far, here.id);
        // A NetworkPolicy knows a new pod's address some time after the pod is ready.
        const { stdout } = await until(
          'the one reaches the other',
          () =>
            there.run('x = 41\nprint("there")').catch((error: unknown) => {
              if (error instanceof ToolError && error.code === 'session_unreachable') return undefined;
              throw error;
            }),
          30,
        );
        assert.equal(stdout, 'there\n');
        assert.equal((await here.run('print(x + 1)')).stdout, '42\n');
        await there.write('a.txt', 'a');
        assert.equal((await here.read('a.txt')).content, 'a');
        await there.end();
      }),
    );
  });
});
