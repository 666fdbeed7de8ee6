import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { Frame } from '../output/frame.ts';
import { createDecoder } from '../output/decoder.ts';
import { SandboxLost, type Limits, type Trace } from '../schedule/backend.ts';
import { ApiError, type Client } from './client.ts';
import { annotation, containerName, jobNameLabel, label, ours, podPath } from './names.ts';
import { phaseOf } from './phase.ts';
import { isFinished } from './reaper.ts';

/** The bytes of a sandbox's log from its start; with `follow`, until its container ends. */
export async function* readLog(
  client: Client,
  pathOfPod: string,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const query = { container: containerName, ...(follow && { follow: 'true' }) };
  const body = await client.stream(`${pathOfPod}/log`, { query, signal });
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } finally {
    body.destroy();
  }
}

/** A run on any replica, from its Job and its pod's log: they are the whole record. */
export async function findTrace(
  client: Client,
  namespace: string,
  executionId: string,
  signal: AbortSignal,
): Promise<Trace | undefined> {
  const query = { labelSelector: `${ours},${label.execution}=${executionId}` };
  const jobs = await client.json<{ items: V1Job[] }>(`/apis/batch/v1/namespaces/${namespace}/jobs`, {
    query,
    signal,
  });
  const job = jobs.items[0];
  if (!job) return undefined;
  const pods = await client.json<{ items: V1Pod[] }>(`/api/v1/namespaces/${namespace}/pods`, {
    // A pod's labels are those of its creation: where it waited in a pool, they name no run.
    query: { labelSelector: `${ours},${jobNameLabel}=${job.metadata?.name ?? ''}` },
    signal,
  });
  const pod = pods.items[0];
  const limits = JSON.parse(job.metadata?.annotations?.[annotation.limits] ?? '{}') as Limits;
  const frames = pod ? await readFrames(client, namespace, pod, signal) : [];
  return { executionId, limits, frames, lost: howLost(job, pod) };
}

function howLost(job: V1Job, pod: V1Pod | undefined): SandboxLost | undefined {
  if (pod) {
    const phase = phaseOf(pod);
    return phase.state === 'ended' ? new SandboxLost(phase.cause, phase.message) : undefined;
  }
  return isFinished(job)
    ? new SandboxLost('unknown', 'The pod of the run is gone, and its record with it.')
    : undefined;
}

async function readFrames(
  client: Client,
  namespace: string,
  pod: V1Pod,
  signal: AbortSignal,
): Promise<Frame[]> {
  const decoder = createDecoder();
  const frames: Frame[] = [];
  try {
    for await (const bytes of readLog(client, podPath(namespace, pod), false, signal))
      frames.push(...decoder.push(bytes));
    // A log that was rotated has lost its beginning; what is left still counts.
    while (decoder.gap) frames.push(...decoder.skipGap());
  } catch (error) {
    // 400: the container has not started; 404: its pod has just gone.
    if (!(error instanceof ApiError && (error.status === 400 || error.status === 404))) throw error;
  }
  return frames;
}
