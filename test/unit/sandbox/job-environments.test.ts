import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeJob, type JobRequest } from '../../../src/sandbox/job.ts';
import { config } from '../support/settings.ts';

const request: JobRequest = {
  id: 'abcdefghijklmnopqrstuvwxyz',
  kind: { image: 'vivarium-sandbox:0.1.0', runtimeClass: '', cpu: 1, memory_mb: 512 },
  pool: undefined,
  claim: undefined,
  lifeSeconds: 30,
  build: false,
  owner: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'vivarium-replica-1', uid: 'uid' },
};

function podOf(...arguments_: Parameters<typeof makeJob>) {
  return makeJob(...arguments_).spec?.template.spec ?? assert.fail();
}

describe('makeJob with environments', () => {
  it('mounts the environments, which only a build may write', () => {
    const claimName = 'environments';
    const mountOf = (build: boolean) => {
      const pod = podOf(config({ environmentsClaim: claimName }), { ...request, build });
      return [pod.volumes?.slice(1), pod.containers[0]?.volumeMounts?.slice(2)];
    };
    const expected = (readOnly: boolean) => [
      [{ name: 'environments', persistentVolumeClaim: { claimName, readOnly } }],
      [{ name: 'environments', mountPath: '/environments', readOnly }],
    ];
    assert.deepEqual(mountOf(false), expected(true));
    assert.deepEqual(mountOf(true), expected(false));
  });

  it('gives a build names, the credentials of the index and a user that its files are left to', () => {
    const settings = { environmentsClaim: 'environments', packageIndexCredentials: 'index-secret' };
    const made = makeJob(config({ ...settings, userNamespaces: false }), { ...request, build: true });
    assert.equal(made.spec?.template.metadata?.labels?.['vivarium.dev/role'], 'builder');
    const pod = made.spec.template.spec ?? assert.fail();
    assert.deepEqual([pod.dnsPolicy, pod.dnsConfig], ['ClusterFirst', undefined]);
    assert.deepEqual(pod.volumes?.[2], { name: 'index', secret: { secretName: 'index-secret' } });
    assert.deepEqual(pod.containers[0]?.volumeMounts?.[3], {
      name: 'index',
      mountPath: '/index',
      readOnly: true,
    });
    const { runAsUser, runAsGroup, fsGroup, fsGroupChangePolicy } = pod.securityContext ?? {};
    assert.deepEqual([runAsUser, runAsGroup, fsGroup], [65_532, 65_532, 65_532]);
    assert.equal(fsGroupChangePolicy, 'OnRootMismatch');
  });

  it('shows the credentials of the index to builds alone', () => {
    const settings = { environmentsClaim: 'environments', packageIndexCredentials: 'index-secret' };
    assert.equal(podOf(config(settings), request).volumes?.length, 2);
  });

  it('has no volume for them where there is no claim', () => {
    assert.equal(podOf(config({ packageIndexCredentials: 'index-secret' }), request).volumes?.length, 1);
  });
});
