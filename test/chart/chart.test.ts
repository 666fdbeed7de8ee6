/** What the chart and the code must agree on. */
import {
  loadYaml,
  type V1ConfigMap,
  type V1Deployment,
  type V1ResourceQuota,
  type V1Role,
  type V1Service,
} from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { complete, loadConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import { claimPatch, extendPatch, makeJob } from '../../src/sandbox/job.ts';
import { permissionsFor } from '../../src/sandbox/permissions.ts';
import { dialects } from '../../src/serve/dialects/all.ts';
import { render } from './render.ts';

const root = new URL('../..', import.meta.url);

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
      dialects: ['piston', 'primcs:9001'],
    };
    const { data } = render({ config }, 'configmap.yaml') as V1ConfigMap;
    const text = data?.['config.json'] ?? '';
    const written = JSON.parse(text) as Record<string, unknown>;
    // Name and address are the pod's, the folder is for sandboxes that are local, and the token is in a Secret.
    const others = ['replicaName', 'advertiseUrl', 'environmentsFolder', 'pistonToken'];
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

  it('make Jobs that fit the quota: twice the runs, the sessions and the pools of each replica, and two builds', () => {
    const pools = [
      { name: 'small', min: 1, max: 3, cpu: 0.33, memoryMb: 256 },
      { name: 'plain', min: 1, max: 5 },
    ];
    const config = complete(
      settings.parse({ pools, concurrency: 7, maxSessions: 4, maxCpu: 1.7, cpuReserved: 0.3 }),
    );
    const { spec } = render(
      {
        replicas: 2,
        artifacts: { s3: { bucket: 'artifacts' } },
        environments: { enabled: true },
        config: { pools, concurrency: 7, maxSessions: 4, maxCpu: 1.7, cpuReserved: 0.3 },
      },
      'sandbox-quota.yaml',
    ) as V1ResourceQuota;

    const { maxCpu: cpu, maxMemoryMb, buildMemoryMb } = config;
    const parts = [
      ...config.pools.map((pool) => ({ ...pool, count: 2 * 2 * pool.max })),
      { count: 2 * 2 * (config.concurrency + config.maxSessions), cpu, memoryMb: maxMemoryMb },
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
    assert.equal(pods, String(2 * 2 * (3 + 5 + 7 + 4) + 2));
    assert.deepEqual(Object.keys(hard).sort(), Object.keys(needed).sort());
    for (const [key, sum] of Object.entries(needed)) {
      assert.ok(Math.abs(amount(hard[key] ?? '') - sum) < 1e-6, `${key}: ${String(hard[key])}, not ${sum}`);
    }
  });

  it('serve each dialect on the port that is usual for it', () => {
    const names = dialects.map(({ name }) => name);
    const service = render({ config: { dialects: names } }, 'service.yaml') as V1Service;
    const ports = service.spec?.ports ?? [];
    assert.deepEqual(
      ports.slice(2).map(({ port }) => port),
      dialects.map(({ port }) => port),
    );
    for (const { name = '' } of ports) assert.ok(name.length <= 15, name);
  });

  it('make Jobs that end in the time that the admission policy allows', () => {
    const config = complete(settings.parse({ pools: [{ name: 'python', min: 1, max: 1 }] }));
    const policy = render({ environments: { enabled: true } }, 'sandbox-admission.yaml');
    const [, run, session, build] =
      /deadline of (\d+) s at most \(a session (\d+) s, a build (\d+) s\)/.exec(JSON.stringify(policy)) ?? [];
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
    const oldest = extendPatch(config.startTimeoutSeconds, config.sessionMaxAgeSeconds);
    assert.ok((oldest as { spec: typeof spec }).spec.activeDeadlineSeconds <= Number(session));
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
