import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { Frame } from '../output/frame.ts';
import { createDecoder } from '../output/decoder.ts';
import { SandboxLost, type Limits, type Trace } from '../schedule/backend.ts';
import { ApiError, type Client } from './client.ts';
import { annotation, containerName, jobNameLabel, ours, podPath, runSelector } from './names.ts';
import { phaseOf } from './phase.ts';
import { isFinished } from './reaper.ts';

/**
 * The bytes of a sandbox's log from its start; with `follow`, until its container ends. At most `limitBytes`, where that is
 * given.
 */
export async function* readLog(
  client: Client,
  pathOfPod: string,
  { follow = false, limitBytes }: { follow?: boolean; limitBytes?: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const query = {
    container: containerName,
    ...(follow && { follow: 'true' }),
    ...(limitBytes !== undefined && { limitBytes: String(limitBytes) }),
  };
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
  { namespace, outputBytes }: { namespace: string; outputBytes: number },
  run: { executionId: string; caller: string },
  signal: AbortSignal,
): Promise<Trace | undefined> {
  const query = { labelSelector: `${ours},${runSelector(run)}` };
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
  const frames = pod ? await readFrames(client, { namespace, outputBytes }, pod, signal) : [];
  return { executionId: run.executionId, limits, frames, lost: howLost(job, pod) };
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

/** Both streams as base64, the value, and frames around them: the files that follow in a log are no part of the record. */
function recordBytes(outputBytes: number): number {
  return 4 * outputBytes + 4 * 1_048_576;
}

async function readFrames(
  client: Client,
  { namespace, outputBytes }: { namespace: string; outputBytes: number },
  pod: V1Pod,
  signal: AbortSignal,
): Promise<Frame[]> {
  const decoder = createDecoder();
  const frames: Frame[] = [];
  try {
    const limits = { limitBytes: recordBytes(outputBytes) };
    for await (const bytes of readLog(client, podPath(namespace, pod), limits, signal))
      frames.push(...decoder.push(bytes));
    // A log that was rotated has lost its beginning; what is left still counts.
    while (decoder.gap) frames.push(...decoder.skipGap());
  } catch (error) {
    // 400: the container has not started; 404: its pod has just gone.
    if (!(error instanceof ApiError && (error.status === 400 || error.status === 404))) throw error;
  }
  return frames;
}
