/** Values that the chart must refuse, and values that it must render. */
import { loadAllYaml } from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { helmTemplate } from './render.ts';

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
    'a dialect that there is not': { config: { dialects: ['judge0'] } },
    'the address of a Piston beside the values of piston': { config: { pistonUrl: 'http://a.example' } },
    'a token in a ConfigMap': { config: { pistonToken: 'a' } },
    'a package of Piston with a range of versions': {
      piston: { languages: [{ language: 'bash', version: '5.x' }] },
    },
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
        dialects: ['piston', 'primcs:9001'],
      },
      piston: { enabled: true, storageClass: 'fast', env: { PISTON_LOG_LEVEL: 'DEBUG' } },
      sandbox: { namespace: 'other', quota: { pods: '5' }, runtimeClassHandler: 'runsc' },
      artifacts: { s3: { bucket: 'artifacts', prefix: 'a', secret: 'keys', caSecret: 'ca' } },
      environments: { enabled: true, storageClass: 'shared', index: { secret: 'index' } },
      service: { type: 'LoadBalancer' },
      ingress: {
        enabled: true,
        hosts: ['a.example'],
        dialects: [{ name: 'primcs', host: 'b.example' }],
        tlsSecret: 'tls',
        annotations: { a: 'b' },
      },
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
