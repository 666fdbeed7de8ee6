import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeJob, type JobRequest } from '../../../src/sandbox/job.ts';
import { config } from '../support/settings.ts';

const owner = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'vivarium-replica-1',
  uid: '5f0c1f3e-0000-4000-8000-000000000000',
};

const request: JobRequest = {
  executionId: 'abcdefghijklmnopqrstuvwxyz',
  requestKey: undefined,
  limits: { seconds: 30, cpu: 1, memory_mb: 512 },
  owner,
};

const labels = {
  'app.kubernetes.io/name': 'vivarium-sandbox',
  'app.kubernetes.io/managed-by': 'vivarium',
  'vivarium.dev/execution': 'abcdefghijklmnopqrstuvwxyz',
  'vivarium.dev/replica': 'replica-1',
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
    activeDeadlineSeconds: 135,
    ttlSecondsAfterFinished: 60,
    template: {
      metadata: { labels },
      spec: {
        activeDeadlineSeconds: 120,
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
              requests: { cpu: '1', memory: '512Mi', 'ephemeral-storage': '64Mi' },
              limits: { cpu: '1', memory: '512Mi', 'ephemeral-storage': '64Mi' },
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
    const { metadata, spec } = makeJob(config(), { ...request, requestKey: 'key' });
    const expected = { ...labels, 'vivarium.dev/request': 'key' };
    assert.deepEqual(metadata?.labels, expected);
    assert.deepEqual(spec?.template.metadata?.labels, expected);
  });

  it('takes the limits of the run', () => {
    const limits = { seconds: 0.5, cpu: 1.5, memory_mb: 64 };
    const made = makeJob(config({ startTimeoutSeconds: 10 }), { ...request, limits });
    const pod = made.spec?.template.spec;
    assert.ok(pod);
    assert.equal(made.spec?.activeDeadlineSeconds, 56);
    assert.equal(pod.activeDeadlineSeconds, 41);
    assert.equal(made.metadata?.annotations?.['vivarium.dev/limits'], JSON.stringify(limits));
    const amounts = { cpu: '1.5', memory: '64Mi', 'ephemeral-storage': '64Mi' };
    assert.deepEqual(pod.containers[0]?.resources, { requests: amounts, limits: amounts });
    assert.deepEqual(
      pod.containers[0].env?.map(({ value }) => value),
      ['2', '2', '2'],
    );
  });

  it('takes the settings of the operator', () => {
    const tolerations = [{ key: 'sandboxes', operator: 'Exists' }];
    const pod = podOf(
      config({
        image: 'registry.example/sandbox@sha256:0',
        imagePullPolicy: 'Always',
        imagePullSecrets: ['one', 'two'],
        runtimeClass: 'gvisor',
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
      runtimeClassName: 'gvisor',
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      nodeSelector: { disk: 'ssd' },
      tolerations,
      containers: [
        { ...plain.containers[0], image: 'registry.example/sandbox@sha256:0', imagePullPolicy: 'Always' },
      ],
      volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } }],
    });
  });

  it('gives each run without a user namespace a user of its own', () => {
    const users = ['a', 'b', 'c'].map(
      (executionId) =>
        podOf(config({ userNamespaces: false }), { ...request, executionId }).securityContext?.runAsUser,
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
