/** What the chart and the code must agree on, and values that the chart must refuse. */
import {
  loadAllYaml,
  loadYaml,
  type V1ConfigMap,
  type V1Deployment,
  type V1ResourceQuota,
  type V1Role,
} from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { complete, loadConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import { makeJob } from '../../src/sandbox/job.ts';
import { permissions } from '../../src/sandbox/permissions.ts';

const root = new URL('../..', import.meta.url);
const chart = new URL('helm/vivarium', root).pathname;

function helmTemplate(values: object, only?: string): { ok: boolean; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-chart-'));
  const file = join(folder, 'values.json');
  try {
    writeFileSync(file, JSON.stringify(values));
    const args = ['template', 'vivarium', chart, '--namespace', 'vivarium', '--values', file];
    const { status, stdout, stderr } = spawnSync('helm', only ? [...args, '--show-only', only] : args, {
      encoding: 'utf8',
    });
    return { ok: status === 0, output: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The first object of a template. */
function render(values: object, template: string): unknown {
  const { ok, output } = helmTemplate(values, `templates/${template}`);
  assert.ok(ok, output);
  return (loadAllYaml(output) as unknown[])[0];
}

/** A quantity in CPUs or MiB. */
function amount(quantity: string): number {
  return quantity.endsWith('m') ? parseFloat(quantity) / 1000 : parseFloat(quantity);
}

describe('the chart and the code', () => {
  it('have the same version', () => {
    const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
    const { version } = JSON.parse(read('package.json')) as { version: string };
    const { appVersion, annotations } = loadYaml<{
      appVersion: string;
      annotations: Record<string, string>;
    }>(read('helm/vivarium/Chart.yaml'));
    assert.equal(appVersion, version);
    assert.deepEqual(
      loadYaml<{ image: string }[]>(annotations['artifacthub.io/images'] ?? '').map(({ image }) => image),
      [`vivarium-server:${version}`, settings.parse({}).image],
    );
  });

  it('grant the same permissions', () => {
    const role = render({}, 'sandbox-role.yaml') as V1Role;
    assert.deepEqual(
      role.rules?.map(({ apiGroups, resources, verbs }) => ({ apiGroups, resources, verbs })),
      permissions.map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs })),
    );
  });

  it('know the same settings, and the server takes those of the chart', () => {
    const config = {
      image: 'other',
      maxTimeoutSeconds: 600.5,
      nodeSelector: { pool: 'sandboxes' },
      tolerations: [{ key: 'sandboxes', operator: 'Exists', tolerationSeconds: 5 }],
      pools: [
        { name: 'science', min: 1, max: 2, image: 'science', cpu: 0.5, memoryMb: 1024, preload: ['numpy'] },
        { name: 'plain', min: 0, max: 1 },
      ],
      allowedHosts: ['a.example'],
    };
    const { data } = render({ config }, 'configmap.yaml') as V1ConfigMap;
    const text = data?.['config.json'] ?? '';
    const written = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual([...Object.keys(written), 'replicaName'].sort(), Object.keys(settings.shape).sort());

    const folder = mkdtempSync(join(tmpdir(), 'vivarium-chart-'));
    const file = join(folder, 'config.json');
    writeFileSync(file, text);
    const loaded = loadConfig({ VIVARIUM_CONFIG: file, VIVARIUM_REPLICA_NAME: 'vivarium-7d9c-x2x2x' });
    rmSync(folder, { recursive: true });

    const { allowedHosts, ...rest } = config;
    assert.deepEqual(loaded, {
      ...complete(settings.parse(rest)),
      backend: 'kubernetes',
      host: '0.0.0.0',
      probeHost: '0.0.0.0',
      replicaName: 'vivarium-7d9c-x2x2x',
      allowedHosts: loaded.allowedHosts,
    });
    for (const host of [...allowedHosts, 'vivarium', 'localhost']) {
      assert.ok(loaded.allowedHosts.includes(host), host);
    }
  });

  it('come with a pool of the default kind', () => {
    const { data } = render({}, 'configmap.yaml') as V1ConfigMap;
    const { pools } = JSON.parse(data?.['config.json'] ?? '') as { pools: unknown };
    assert.deepEqual(pools, [{ name: 'python', min: 2, max: 8, preload: ['numpy', 'pandas'] }]);
  });

  it('make Jobs that fit the quota: twice the runs and the pools of each replica', () => {
    const pools = [
      { name: 'small', min: 1, max: 3, cpu: 0.33, memoryMb: 256 },
      { name: 'plain', min: 1, max: 5 },
    ];
    const config = complete(settings.parse({ pools, concurrency: 7, maxCpu: 1.7, cpuReserved: 0.3 }));
    const { spec } = render(
      { replicas: 2, config: { pools, concurrency: 7, maxCpu: 1.7, cpuReserved: 0.3 } },
      'sandbox-quota.yaml',
    ) as V1ResourceQuota;

    const runs = { max: config.concurrency, cpu: config.maxCpu, memoryMb: config.maxMemoryMb };
    const needed: Record<string, number> = {};
    for (const { max, cpu, memoryMb } of [...config.pools, runs]) {
      const { image, runtimeClass } = config;
      const job = makeJob(config, {
        id: '0',
        kind: { image, runtimeClass, cpu, memory_mb: memoryMb },
        pool: undefined,
        claim: undefined,
        lifeSeconds: 1,
        build: false,
        owner: { apiVersion: 'v1', kind: 'Lease', name: 'a', uid: '0' },
      });
      const resources = job.spec?.template.spec?.containers[0]?.resources;
      for (const part of ['requests', 'limits'] as const) {
        for (const resource of ['cpu', 'memory']) {
          const key = `${part}.${resource}`;
          needed[key] = (needed[key] ?? 0) + 2 * 2 * max * amount(resources?.[part]?.[resource] ?? '');
        }
      }
    }
    const { pods, ...hard } = spec?.hard ?? {};
    assert.equal(pods, String(2 * 2 * (3 + 5 + 7)));
    assert.deepEqual(Object.keys(hard).sort(), Object.keys(needed).sort());
    for (const [key, sum] of Object.entries(needed)) {
      assert.ok(Math.abs(amount(hard[key] ?? '') - sum) < 1e-6, `${key}: ${String(hard[key])}, not ${sum}`);
    }
  });

  it('replace the server when its settings change, and only then', () => {
    const checksum = (values: object) =>
      (render(values, 'deployment.yaml') as V1Deployment).spec?.template.metadata?.annotations?.[
        'checksum/config'
      ];
    assert.notEqual(checksum({ config: { logLevel: 'debug' } }), checksum({}));
    assert.equal(checksum({ replicas: 3, podAnnotations: { a: 'b' } }), checksum({}));
  });
});

describe('the chart refuses', () => {
  const wrong: Record<string, object> = {
    'an unknown value': { replica: 2 },
    'an unknown value inside another': { ingress: { host: 'a.example' } },
    'an unknown setting': { config: { concurency: 8 } },
    'a setting that it sets itself': { config: { namespace: 'other' } },
    'a setting beyond its range': { config: { maxTimeoutSeconds: 0 } },
    'a setting of another type': { config: { concurrency: '8' } },
    'a pool without a size': { config: { pools: [{ name: 'python', min: 1 }] } },
    'a pool with an unknown field': { config: { pools: [{ name: 'python', min: 1, max: 2, size: 3 }] } },
    'a pool that preloads no module': {
      config: { pools: [{ name: 'python', min: 1, max: 2, preload: ['os; import sys'] }] },
    },
    'a number of replicas that is text': { replicas: '2' },
    'a digest that is none': { image: { digest: 'latest' } },
    'a pull policy that there is not': { image: { pullPolicy: 'Sometimes' } },
  };
  for (const [what, values] of Object.entries(wrong)) {
    it(what, () => {
      const { ok, output } = helmTemplate(values);
      assert.ok(!ok, 'it was accepted');
      assert.match(output, /values don't meet the specifications of the schema/);
    });
  }
});

describe('the chart renders', () => {
  const sets: Record<string, object> = {
    'with its defaults': {},
    'as a part of another chart': { global: { a: 'b' } },
    'without replicas': { replicas: 0 },
    'without pools': { config: { pools: [] } },
    'with the default of the setting in place of that of the chart': { config: { pools: null } },
    'with everything on': {
      replicas: 2,
      image: { repository: 'registry.example/server', digest: `sha256:${'0'.repeat(64)}` },
      imagePullSecrets: ['registry'],
      fullnameOverride: 'other',
      config: {
        image: 'registry.example/sandbox',
        runtimeClass: 'gvisor',
        imagePullSecrets: ['registry'],
        nodeSelector: { pool: 'sandboxes' },
        tolerations: [{ key: 'sandboxes', operator: 'Exists' }],
        pools: [
          { name: 'plain', min: 0, max: 1 },
          { name: 'science', min: 1, max: 2, image: 'science', runtimeClass: '', cpu: 0.5, memoryMb: 256 },
        ],
      },
      sandbox: { namespace: 'other', quota: { pods: '5' }, runtimeClassHandler: 'runsc' },
      service: { type: 'LoadBalancer' },
      ingress: { enabled: true, hosts: ['a.example'], tlsSecret: 'tls', annotations: { a: 'b' } },
      networkPolicy: { from: [{ podSelector: {} }], egress: [{}] },
      autoscaling: { enabled: true },
      serviceMonitor: { enabled: true, labels: { a: 'b' } },
      podAnnotations: { a: 'b' },
      nodeSelector: { a: 'b' },
      tolerations: [{ operator: 'Exists' }],
      affinity: { podAntiAffinity: {} },
    },
  };
  for (const [what, values] of Object.entries(sets)) {
    it(what, () => {
      const { ok, output } = helmTemplate(values);
      assert.ok(ok, output);
      loadAllYaml(output);
    });
  }
});
