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
import { claimPatch, makeJob } from '../../src/sandbox/job.ts';
import { permissionsFor } from '../../src/sandbox/permissions.ts';

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
    for (const enabled of [false, true]) {
      const role = render({ environments: { enabled } }, 'sandbox-role.yaml') as V1Role;
      assert.deepEqual(
        JSON.parse(JSON.stringify(role.rules)),
        permissionsFor({ environmentsClaim: enabled ? 'claim' : '' }).map(
          ({ group, resource, verbs, names }) => ({
            apiGroups: [group],
            resources: [resource],
            verbs,
            ...(names && { resourceNames: names }),
          }),
        ),
      );
    }
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
    // The name is the pod's, and the folder is for sandboxes that are local.
    const others = ['replicaName', 'environmentsFolder'];
    assert.deepEqual([...Object.keys(written), ...others].sort(), Object.keys(settings.shape).sort());

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
      artifactStore: '/var/lib/vivarium/artifacts',
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

  it('make Jobs that fit the quota: twice the runs and the pools of each replica, and two builds', () => {
    const pools = [
      { name: 'small', min: 1, max: 3, cpu: 0.33, memoryMb: 256 },
      { name: 'plain', min: 1, max: 5 },
    ];
    const config = complete(settings.parse({ pools, concurrency: 7, maxCpu: 1.7, cpuReserved: 0.3 }));
    const { spec } = render(
      {
        replicas: 2,
        artifacts: { s3: { bucket: 'artifacts' } },
        environments: { enabled: true },
        config: { pools, concurrency: 7, maxCpu: 1.7, cpuReserved: 0.3 },
      },
      'sandbox-quota.yaml',
    ) as V1ResourceQuota;

    const { maxCpu: cpu, maxMemoryMb, buildMemoryMb } = config;
    const parts = [
      ...config.pools.map((pool) => ({ ...pool, count: 2 * 2 * pool.max })),
      { count: 2 * 2 * config.concurrency, cpu, memoryMb: maxMemoryMb },
      { count: 2, cpu, memoryMb: buildMemoryMb },
    ];
    const needed: Record<string, number> = {};
    for (const { count, cpu, memoryMb } of parts) {
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
          needed[key] = (needed[key] ?? 0) + count * amount(resources?.[part]?.[resource] ?? '');
        }
      }
    }
    const { pods, ...hard } = spec?.hard ?? {};
    assert.equal(pods, String(2 * 2 * (3 + 5 + 7) + 2));
    assert.deepEqual(Object.keys(hard).sort(), Object.keys(needed).sort());
    for (const [key, sum] of Object.entries(needed)) {
      assert.ok(Math.abs(amount(hard[key] ?? '') - sum) < 1e-6, `${key}: ${String(hard[key])}, not ${sum}`);
    }
  });

  it('make Jobs that end in the time that the admission policy allows', () => {
    const config = complete(settings.parse({ pools: [{ name: 'python', min: 1, max: 1 }] }));
    const policy = render({ environments: { enabled: true } }, 'sandbox-admission.yaml');
    const [, run, build] =
      /deadline of (\d+) s at most \(a build (\d+) s\)/.exec(JSON.stringify(policy)) ?? [];
    const deadline = (lifeSeconds: number, build: boolean) => {
      const { image, runtimeClass, maxCpu: cpu, maxMemoryMb: memory_mb } = config;
      const kind = { image, runtimeClass, cpu, memory_mb };
      const owner = { apiVersion: 'v1', kind: 'Lease', name: 'a', uid: '0' };
      const job = makeJob(config, {
        id: '0',
        kind,
        pool: undefined,
        claim: undefined,
        lifeSeconds,
        build,
        owner,
      });
      return job.spec?.activeDeadlineSeconds ?? Infinity;
    };
    const { poolMaxAgeSeconds, fetchSeconds, maxTimeoutSeconds, buildSeconds } = config;
    assert.ok(deadline(poolMaxAgeSeconds + fetchSeconds + maxTimeoutSeconds, false) <= Number(run));
    assert.ok(deadline(buildSeconds, true) <= Number(build));
    const claim = {
      executionId: '0',
      caller: '',
      requestKey: undefined,
      limits: { seconds: maxTimeoutSeconds, cpu: 1, memory_mb: 1 },
    };
    const late = claimPatch(claim, config.startTimeoutSeconds + poolMaxAgeSeconds, fetchSeconds);
    const { spec } = late as { spec: { activeDeadlineSeconds: number } };
    assert.ok(spec.activeDeadlineSeconds <= Number(run));
  });

  it('replace the server when its settings change, and only then', () => {
    const checksum = (values: object) =>
      (render(values, 'deployment.yaml') as V1Deployment).spec?.template.metadata?.annotations?.[
        'checksum/config'
      ];
    assert.notEqual(checksum({ config: { logLevel: 'debug' } }), checksum({}));
    assert.equal(checksum({ replicas: 0, podAnnotations: { a: 'b' } }), checksum({}));
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
    'a store beside the values of artifacts': { config: { artifactStore: '/tmp' } },
    'a size without a unit': { artifacts: { size: '10' } },
    'an access mode that no volume for many has': { environments: { accessModes: ['ReadOnlyMany'] } },
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
      artifacts: { s3: { bucket: 'artifacts', prefix: 'a', secret: 'keys', caSecret: 'ca' } },
      environments: { enabled: true, storageClass: 'shared', index: { secret: 'index' } },
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
