import { KubeConfig } from '@kubernetes/client-node';
import { command, output } from '../../test/e2e/harness/command.ts';
import {
  announce,
  forget,
  install,
  remove,
  type Release,
  type Values,
} from '../../test/e2e/harness/release.ts';
import { createClient, type Client } from '../../src/sandbox/client.ts';
import { join } from 'node:path';
import { cacheFolder } from './python.ts';
import type { ServerSettings } from './servers.ts';
import { say } from '../log.ts';

const name = 'vivarium-bench';

/** Where everything that is compared runs: plain pods in `namespace`, Vivarium's in `sandboxes`. */
export interface Cluster {
  release: Release;
  kubeConfig: KubeConfig;
  /** One connection pool, as administrator. */
  client: Client;
  version: string;
}

/** The pod of the exec arm. */
export const warmPod = 'warm';

/** Uses the test cluster, started if it is not up, with the chart in it; takes all of it away again. */
export async function withCluster(
  settings: ServerSettings,
  image: string,
  use: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  // kubectl and helm as the cluster's own versions, before others of this machine.
  process.env.PATH = `${join(cacheFolder, 'cluster/bin')}:${process.env.PATH ?? ''}`;
  const wasUp = (await command('test/cluster/is-up', [])).code === 0;
  try {
    say(wasUp ? 'the cluster is up' : 'starting the cluster');
    const up = await output('test/cluster/up', [], { seconds: 2400 });
    process.env.KUBECONFIG = /^export KUBECONFIG=(.+)$/m.exec(up)?.[1] ?? process.env.KUBECONFIG;
    say('building the sandbox image');
    await output('images/build', ['sandbox'], { seconds: 1200 });
    await withRelease(settings, image, use);
  } finally {
    // A cluster that was there before is somebody's.
    if (!wasUp) await command('test/cluster/down', [], { seconds: 120 });
  }
}

async function withRelease(
  settings: ServerSettings,
  image: string,
  use: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  say('installing the chart');
  await remove(name);
  try {
    const release = await install(name, { replicas: 0, ...valuesOf('config', settings) });
    announce(release);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromDefault();
    const client = await createClient(kubeConfig, () => undefined);
    try {
      await startWarmPod(release.namespace, image);
      const signal = AbortSignal.timeout(10_000);
      const { gitVersion } = await client.json<{ gitVersion: string }>('/version', { signal });
      await use({ release, kubeConfig, client, version: gitVersion });
    } finally {
      await client.close();
      await forget(release);
    }
  } finally {
    say('cleaning up');
    await remove(name);
  }
}

/** Values of the chart by their paths, down to the last number. */
function valuesOf(path: string, value: unknown): Values {
  if (typeof value === 'string' || typeof value === 'number') return { [path]: value };
  if (typeof value !== 'object' || value === null) throw new TypeError(`${path} has a value of no use`);
  const inner = Object.entries(value).map(([key, item]) =>
    valuesOf(Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, item),
  );
  return Object.assign({}, ...inner) as Values;
}

async function startWarmPod(namespace: string, image: string): Promise<void> {
  const container = { name: 'main', image, command: ['sleep', 'infinity'] };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: warmPod, namespace },
    spec: { terminationGracePeriodSeconds: 0, containers: [container] },
  };
  // The account comes with the namespace, a little later.
  await output('kubectl', [
    'wait',
    '--for=create',
    'serviceaccount/default',
    '-n',
    namespace,
    '--timeout=30s',
  ]);
  await output('kubectl', ['create', '-f', '-'], { input: JSON.stringify(pod) });
  await output('kubectl', [
    'wait',
    '--for=condition=Ready',
    `pod/${warmPod}`,
    '-n',
    namespace,
    '--timeout=50s',
  ]);
}

/** The API server's own metrics, as text. */
export function apiMetrics(): Promise<string> {
  return output('kubectl', ['get', '--raw', '/metrics']);
}
