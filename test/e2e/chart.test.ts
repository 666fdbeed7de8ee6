/** The chart's life: installed, tested, upgraded under a running execution, removed without a trace. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { kubectl, pods } from './harness/cluster.ts';
import { command, output } from './harness/command.ts';
import { forward } from './harness/forward.ts';
import { forget, install, remove, setting, type Release } from './harness/release.ts';
import { until } from './harness/until.ts';

const name = 'vivarium-e2e-chart';
const values = {
  replicas: 1,
  'config.defaultCpu': 0.25,
  'config.drainSeconds': 60,
  'resources.requests.cpu': '50m',
};
const instance = `app.kubernetes.io/instance=${name}`;
const servers = { 'app.kubernetes.io/instance': name, 'app.kubernetes.io/component': 'server' };

const talks = `import time
for n in range(225):
    print('line', n)
    time.sleep(0.2)`;
const said = Array.from({ length: 225 }, (_, n) => `line ${n}\n`).join('');

async function serverPod(): Promise<string> {
  const found = (await pods(servers, name)).filter(({ metadata }) => !metadata?.deletionTimestamp);
  assert.equal(found.length, 1, JSON.stringify(found.map(({ metadata }) => metadata?.name)));
  return found[0]?.metadata?.name ?? '';
}

/** Every object of the release, of whatever kind, in whatever namespace. */
async function objects(): Promise<string[]> {
  const kinds = (await kubectl(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n');
  const listed = kinds.filter((kind) => !/^events|^componentstatuses/.test(kind)).join(',');
  const found = await kubectl(['get', listed, '-A', '-l', instance, '-o', 'name', '--ignore-not-found']);
  return found.trim().split('\n').filter(Boolean);
}

describe('the chart', () => {
  let made: Release | undefined;
  before(async () => {
    await remove(name);
  });
  after(async () => {
    if (made) await forget(made);
    await remove(name);
  });

  it('installs, and says where it is', async () => {
    made = await install(name, values);
    await kubectl(['rollout', 'status', `deployment/${name}`, '-n', name, '--timeout=90s'], { seconds: 100 });
    const notes = await output('helm', ['get', 'notes', name, '-n', name]);
    assert.match(notes, /\/mcp/);
  });

  it('passes its own test: one real execution', async () => {
    const text = await output('helm', ['test', name, '-n', name, '--timeout', '90s'], { seconds: 100 });
    assert.match(text, /Phase: +Succeeded/);
  });

  it('is upgraded under a running execution, the result of which is exact', async () => {
    const old = await serverPod();
    await forward(name, old, async (caller) => {
      let last = '';
      const run = caller.run(
        { code: talks, timeout_seconds: 90 },
        { onProgress: (message) => (last = message) },
      );
      run.catch(() => undefined); // awaited below
      await until('the program talks', () => /line \d+$/.test(last), 60);
      const changed = setting(name, { ...values, 'config.defaultTimeoutSeconds': 29 });
      const upgrade = output('helm', ['upgrade', name, 'helm/vivarium', '-n', name, ...changed], {
        seconds: 60,
      });
      let ended = false;
      void run.finally(() => (ended = true)).catch(() => undefined);
      await upgrade;
      const [going] = await until(
        'the old server was told to end',
        async () => {
          const found = await pods(servers, name);
          const leaving = found.filter(
            ({ metadata }) => metadata?.name === old && metadata.deletionTimestamp,
          );
          return (leaving.length === 1 || !found.some(({ metadata }) => metadata?.name === old)) && leaving;
        },
        60,
      );
      assert.ok(going && !ended, 'The run had ended before its server was replaced.');
      const { status, stdout, truncated } = await run;
      assert.deepEqual([status, stdout, truncated], ['succeeded', said, false]);
    });
    await kubectl(['wait', '--for=delete', `pod/${old}`, '-n', name, '--timeout=60s'], { seconds: 70 });
  });

  it('serves after the upgrade, with the new settings', async () => {
    await forward(name, await serverPod(), async (caller) => {
      const { status, stdout, hints } = await caller.run({ code: 'print("new")' });
      assert.deepEqual([status, stdout, hints], ['succeeded', 'new\n', []]);
    });
    const config = await kubectl([
      'get',
      'configmap',
      name,
      '-n',
      name,
      '-o',
      'jsonpath={.data.config\\.json}',
    ]);
    assert.equal((JSON.parse(config) as { defaultTimeoutSeconds: number }).defaultTimeoutSeconds, 29);
  });

  it('is removed without a trace', async () => {
    const before = await objects();
    assert.ok(before.length >= 10, before.join('\n'));
    const { code, stderr } = await command(
      'helm',
      ['uninstall', name, '-n', name, '--wait', '--timeout', '90s'],
      {
        seconds: 100,
      },
    );
    assert.equal(code, 0, stderr);
    // The namespace of the sandboxes goes with all that is in it, a little later.
    await kubectl(['wait', '--for=delete', `namespace/${name}-sandboxes`, '--timeout=60s'], { seconds: 70 });
    assert.deepEqual(
      await until(
        'no object is left',
        async () => {
          const left = await objects();
          return left.length === 0 && left;
        },
        30,
      ),
      [],
    );
    // What --create-namespace has made is the installer's; in it, only what Kubernetes puts into each.
    const rest = await kubectl([
      'get',
      'all,configmaps,secrets,serviceaccounts,roles,rolebindings,leases',
      '-n',
      name,
      '-o',
      'name',
    ]);
    assert.deepEqual(rest.trim().split('\n').sort(), [
      'configmap/kube-root-ca.crt',
      'serviceaccount/default',
    ]);
  });
});
