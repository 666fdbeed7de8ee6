import { BatchV1Api, CoreV1Api, Log, Watch, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { PassThrough } from 'node:stream';
import { stopwatch, type Arm } from './arm.ts';

/** A Job by the official library, as one writes it from its examples: create, watch the pod, follow its log. */
export function clientNodeArm(kubeConfig: KubeConfig, namespace: string, image: string): Arm {
  const batch = kubeConfig.makeApiClient(BatchV1Api);
  const core = kubeConfig.makeApiClient(CoreV1Api);
  let count = 0;
  return {
    name: 'client-node',
    async run({ code }, signal) {
      const name = `library-${(count += 1)}`;
      const container = { name: 'main', image, command: ['python3', '-c', code] };
      const podSpec = { restartPolicy: 'Never', containers: [container] };
      const stopped = new AbortController();
      const until = AbortSignal.any([signal, stopped.signal]);
      try {
        const sentAt = Date.now();
        const clock = stopwatch();
        await batch.createNamespacedJob({
          namespace,
          body: { metadata: { name }, spec: { backoffLimit: 0, template: { spec: podSpec } } },
        });
        const pod = await watchPod(kubeConfig, namespace, name, until);
        const podName = await pod.started;
        const log = await followLog(kubeConfig, namespace, podName, clock);
        const exitCode = await pod.ended;
        const seconds = clock();
        const stamped = await core.readNamespacedPodLog({
          name: podName,
          namespace,
          timestamps: true,
          limitBytes: 100,
        });
        const stampedLine = (Date.parse(stamped.split(' ', 1)[0] ?? '') - sentAt) / 1000;
        const marks = { firstLine: log.first, stampedLine };
        return { exitCode, stdout: log.text, stderr: undefined, seconds, marks };
      } finally {
        stopped.abort();
        await batch
          .deleteNamespacedJob({ name, namespace, propagationPolicy: 'Background' })
          .catch(() => undefined); // it was never made
      }
    },
  };
}

/** The name of a Job's pod once its container has started, and its exit code once it has ended. */
async function watchPod(kubeConfig: KubeConfig, namespace: string, job: string, signal: AbortSignal) {
  const started = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<number>();
  ended.promise.catch(() => undefined); // whoever waits for the start hears of it first
  const see = (_type: string, pod: V1Pod) => {
    const status = pod.status?.containerStatuses?.[0]?.state;
    if (status?.running ?? status?.terminated) started.resolve(pod.metadata?.name ?? '');
    if (status?.terminated) ended.resolve(status.terminated.exitCode);
  };
  const fail = (error: unknown) => {
    started.reject(error);
    ended.reject(error);
  };
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const watching = await new Watch(kubeConfig).watch(path, { labelSelector: `job-name=${job}` }, see, fail);
  signal.addEventListener(
    'abort',
    () => {
      watching.abort();
      fail(signal.reason);
    },
    { once: true },
  );
  return { started: started.promise, ended: ended.promise };
}

async function followLog(kubeConfig: KubeConfig, namespace: string, pod: string, clock: () => number) {
  const stream = new PassThrough();
  await new Log(kubeConfig).log(namespace, pod, 'main', stream, { follow: true });
  const chunks: Buffer[] = [];
  let first = NaN;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (chunks.length === 0) first = clock();
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), first };
}
