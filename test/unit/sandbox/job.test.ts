import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimPatch, makeJob, type JobRequest } from '../../../src/sandbox/job.ts';
import type { Claim } from '../../../src/schedule/backend.ts';
import { config } from '../support/settings.ts';

const owner = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'vivarium-replica-1',
  uid: '5f0c1f3e-0000-4000-8000-000000000000',
};

const id = 'abcdefghijklmnopqrstuvwxyz';

const claim: Claim = {
  executionId: id,
  caller: '',
  requestKey: undefined,
  limits: { seconds: 30, cpu: 1, memory_mb: 512 },
};

const request: JobRequest = {
  id,
  kind: { image: 'vivarium-sandbox:0.1.0', runtimeClass: '', cpu: 1, memory_mb: 512 },
  pool: undefined,
  claim,
  lifeSeconds: 30,
  build: false,
  owner,
};

const labels = {
  'app.kubernetes.io/name': 'vivarium-sandbox',
  'app.kubernetes.io/managed-by': 'vivarium',
  'vivarium.dev/execution': 'abcdefghijklmnopqrstuvwxyz',
  'vivarium.dev/replica': 'replica-1',
  'vivarium.dev/role': 'sandbox',
};

const job = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: 'run-abcdefghijklmnopqrstuvwxyz',
    namespace: 'vivarium-sandboxes',
    labels,
    annotations: { 'vivarium.dev/limits': '{"seconds":30,"cpu":1,"memory_mb":512}' },
    ownerReferences: [owner],
  },
  spec: {
    backoffLimit: 0,
    completions: 1,
    parallelism: 1,
    activeDeadlineSeconds: 195,
    ttlSecondsAfterFinished: 60,
    template: {
      metadata: { labels },
      spec: {
        activeDeadlineSeconds: 180,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        hostUsers: false,
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['127.0.0.1'] },
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65_532,
          runAsGroup: 65_532,
          fsGroup: 65_532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'sandbox',
            image: 'vivarium-sandbox:0.1.0',
            imagePullPolicy: 'IfNotPresent',
            stdin: true,
            stdinOnce: true,
            workingDir: '/workspace',
            env: [
              { name: 'PYTHON_CPU_COUNT', value: '1' },
              { name: 'OMP_NUM_THREADS', value: '1' },
              { name: 'OPENBLAS_NUM_THREADS', value: '1' },
            ],
            resources: {
              requests: { cpu: '250m', memory: '512Mi', 'ephemeral-storage': '64Mi' },
              // 128 MiB of artifacts leave through the log.
              limits: { cpu: '1', memory: '512Mi', 'ephemeral-storage': '244Mi' },
            },
            securityContext: {
              allowPrivilegeEscalation: false,
              privileged: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              { name: 'scratch', mountPath: '/workspace', subPath: 'workspace' },
              { name: 'scratch', mountPath: '/tmp', subPath: 'tmp' },
            ],
          },
        ],
        volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } }],
      },
    },
  },
};

function podOf(...arguments_: Parameters<typeof makeJob>) {
  const spec = makeJob(...arguments_).spec?.template.spec;
  assert.ok(spec);
  return spec;
}

describe('makeJob', () => {
  it('makes exactly this Job', () => {
    assert.deepEqual(makeJob(config(), request), job);
  });

  it('is pure', () => {
    const before = structuredClone(request);
    assert.deepEqual(makeJob(config(), request), makeJob(config(), request));
    assert.deepEqual(request, before);
  });

  it('labels Job and pod with the key of the request', () => {
    const { metadata, spec } = makeJob(config(), {
      ...request,
      claim: { ...claim, requestKey: 'key' },
    });
    const expected = { ...labels, 'vivarium.dev/request': 'key' };
    assert.deepEqual(metadata?.labels, expected);
    assert.deepEqual(spec?.template.metadata?.labels, expected);
  });

  it('takes what the sandbox is made of, and how long it may live', () => {
    const limits = { seconds: 0.5, cpu: 1.5, memory_mb: 64 };
    const kind = { image: 'other:1', runtimeClass: 'kata', cpu: 1.5, memory_mb: 64 };
    const made = makeJob(config({ startTimeoutSeconds: 10, image: 'unused', runtimeClass: 'unused' }), {
      ...request,
      kind,
      claim: { ...claim, limits },
      lifeSeconds: 0.5,
    });
    const pod = made.spec?.template.spec;
    assert.ok(pod);
    assert.equal(made.spec?.activeDeadlineSeconds, 116);
    assert.equal(pod.activeDeadlineSeconds, 101);
    assert.equal(made.metadata?.annotations?.['vivarium.dev/limits'], JSON.stringify(limits));
    assert.deepEqual([pod.containers[0]?.image, pod.runtimeClassName], ['other:1', 'kata']);
    assert.deepEqual(pod.containers[0]?.resources, {
      requests: { cpu: '375m', memory: '64Mi', 'ephemeral-storage': '64Mi' },
      limits: { cpu: '1.5', memory: '64Mi', 'ephemeral-storage': '244Mi' },
    });
    assert.deepEqual(
      pod.containers[0].env?.map(({ value }) => value),
      ['2', '2', '2'],
    );
  });

  it('reserves the part of its CPUs that the operator says, and never nothing', () => {
    const reserved = (cpu: number, cpuReserved: number) =>
      podOf(config({ cpuReserved }), { ...request, kind: { ...request.kind, cpu } }).containers[0]?.resources
        ?.requests?.cpu;
    assert.deepEqual(
      [reserved(1, 1), reserved(2, 0.5), reserved(0.3, 0.25), reserved(0.05, 0.01)],
      ['1000m', '1000m', '75m', '1m'],
    );
  });

  it('says of a sandbox that waits which pool it is of, and nothing of a run', () => {
    const { metadata, spec } = makeJob(config(), {
      ...request,
      id: 'other',
      pool: 'science',
      claim: undefined,
      lifeSeconds: 3900,
    });
    const expected = {
      'app.kubernetes.io/name': 'vivarium-sandbox',
      'app.kubernetes.io/managed-by': 'vivarium',
      'vivarium.dev/replica': 'replica-1',
      'vivarium.dev/pool': 'science',
      'vivarium.dev/role': 'sandbox',
    };
    assert.equal(metadata?.name, 'run-other');
    assert.deepEqual(metadata.labels, expected);
    assert.deepEqual(spec?.template.metadata?.labels, expected);
    assert.equal(metadata.annotations, undefined);
    assert.equal(spec.activeDeadlineSeconds, 4065);
  });

  it('takes the settings of the operator', () => {
    const tolerations = [{ key: 'sandboxes', operator: 'Exists' }];
    const pod = podOf(
      config({
        imagePullPolicy: 'Always',
        imagePullSecrets: ['one', 'two'],
        userNamespaces: false,
        nodeSelector: { disk: 'ssd' },
        tolerations,
        workspaceMb: 16,
        retentionSeconds: 0,
      }),
      request,
    );
    const plain = job.spec.template.spec;
    assert.deepEqual(pod, {
      ...plain,
      hostUsers: true,
      securityContext: {
        ...plain.securityContext,
        runAsUser: 8_455_872,
        runAsGroup: 8_455_872,
        fsGroup: 8_455_872,
      },
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      nodeSelector: { disk: 'ssd' },
      tolerations,
      containers: [{ ...plain.containers[0], imagePullPolicy: 'Always' }],
      volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } }],
    });
  });

  it('gives each sandbox without a user namespace a user of its own', () => {
    const users = ['a', 'b', 'c'].map(
      (own) => podOf(config({ userNamespaces: false }), { ...request, id: own }).securityContext?.runAsUser,
    );
    assert.equal(new Set(users).size, 3);
    for (const user of users) assert.ok(user !== undefined && user >= 1_000_000 && user < 2 ** 31);
  });

  it('keeps an ended Job for as long as it is told to, no time included', () => {
    assert.equal(makeJob(config({ retentionSeconds: 0 }), request).spec?.ttlSecondsAfterFinished, 0);
  });

  it('survives JSON', () => {
    const made = makeJob(config(), request);
    assert.deepEqual(JSON.parse(JSON.stringify(made)), made);
  });
});

describe('claimPatch', () => {
  it('writes on the Job what a Job that is made for the run has from the start', () => {
    const own = makeJob(config(), { ...request, claim: { ...claim, requestKey: 'key' } });
    assert.deepEqual(claimPatch({ ...claim, requestKey: 'key' }, 100.2, 60), {
      metadata: {
        labels: { 'vivarium.dev/execution': id, 'vivarium.dev/request': 'key' },
        annotations: own.metadata?.annotations,
      },
      spec: { activeDeadlineSeconds: 296 },
    });
  });

  it('says nothing of a request that has no key: a merge patch would delete the label', () => {
    assert.deepEqual(claimPatch(claim, 0, 0), {
      metadata: {
        labels: { 'vivarium.dev/execution': id },
        annotations: { 'vivarium.dev/limits': JSON.stringify(claim.limits) },
      },
      spec: { activeDeadlineSeconds: 135 },
    });
  });
});
