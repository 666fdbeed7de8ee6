import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Claim } from '../schedule/backend.ts';
import { ApiError, type Client, withRetry } from './client.ts';
import { claimPatch } from './job.ts';

/**
 * A run that lasts longer is written on its Job while it goes on, so that any replica can find and cancel it. A shorter one
 * is written there when it has ended: a write beside it would slow it down.
 */
export const shortRunMs = 1000;

/** The time that the answer of a short run has to leave before its record is written. */
const answerMs = 50;

/** The writing of a run on the Job of the sandbox that waited for it. */
export interface ClaimRecord {
  /** The run has ended: writes it, if it is not written. Never throws. */
  finish(): Promise<void>;
  /** The Job goes, and the record with it. */
  cancel(): void;
}

export interface Recorded {
  /** Path of the Job on the API server. */
  path: string;
  /** performance.now(). */
  createdAt: number;
  client: Client;
  config: Pick<Config, 'fetchSeconds'>;
  onUnrecorded(executionId: string, error: unknown): void;
}

export function claimRecord(job: Recorded, claim: Claim): ClaimRecord {
  const age = (performance.now() - job.createdAt) / 1000;
  const patch = claimPatch(claim, age, job.config.fetchSeconds);
  let written: Promise<void> | undefined;
  const timer = setTimeout(() => {
    written = send();
  }, shortRunMs);

  async function send(): Promise<void> {
    const late = AbortSignal.timeout(5000);
    const call = { method: 'PATCH', body: patch, signal: late } as const;
    await withRetry(() => job.client.json(job.path, call), 4, late).catch((error: unknown) => {
      // A Job that was deleted says by that that its run was cancelled.
      if (error instanceof ApiError && error.status === 404) return;
      job.onUnrecorded(claim.executionId, error);
    });
  }

  return {
    finish() {
      clearTimeout(timer);
      written ??= sleep(answerMs).then(send);
      return written;
    },
    cancel() {
      clearTimeout(timer);
    },
  };
}
