/** What the chart and the code must agree on, and values that the chart must refuse. */
import {
  loadAllYaml,
  loadYaml,
  type V1ConfigMap,
  type V1Deployment,
  type V1Role,
} from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig, settings } from '../../src/config.ts';
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
      ...settings.parse(rest),
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
