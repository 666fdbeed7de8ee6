import { z } from 'zod';

export const statuses = [
  'succeeded',
  'failed',
  'timed_out',
  'out_of_memory',
  'cancelled',
  'evicted',
  'node_lost',
  'unknown',
] as const;

const secondsOrNull = z.number().nonnegative().nullable();
const byteCount = z.number().int().nonnegative();

/** How a run ended. Every field is always there. */
export const executionResult = z.strictObject({
  execution_id: z.string(),
  status: z
    .enum(statuses)
    .describe(
      'The first cause of the end. `failed`: the code exited with another code than 0, or by a signal.',
    ),
  exit_code: z
    .number()
    .int()
    .min(0)
    .max(255)
    .nullable()
    .describe('Null where the code did not exit by itself.'),
  signal: z.string().nullable().describe('The signal that ended the code, such as "SIGSEGV".'),
  stdout: z.string(),
  stderr: z.string(),
  stdout_base64: z.string().nullable().describe('The exact bytes, where they are not UTF-8.'),
  stderr_base64: z.string().nullable().describe('The exact bytes, where they are not UTF-8.'),
  stdout_bytes: byteCount.describe('What the code wrote in all, kept or not.'),
  stderr_bytes: byteCount.describe('What the code wrote in all, kept or not.'),
  truncated: z.boolean().describe('Whether stdout or stderr holds less than the code wrote.'),
  message: z.string().describe('How it ended and what to change, in a sentence.'),
  artifacts: z.array(z.never()),
  hints: z.array(z.string()),
  timings: z
    .strictObject({
      queued: secondsOrNull.describe('Waiting for a free place.'),
      scheduled: secondsOrNull.describe('Until the sandbox had a node.'),
      started: secondsOrNull.describe('From there until the code ran.'),
      ran: secondsOrNull.describe('The code itself.'),
      total: secondsOrNull.describe('From the request to the result.'),
    })
    .describe('Seconds; null where it did not come to that, or is not known.'),
});

export type ExecutionResult = z.infer<typeof executionResult>;
export type Status = ExecutionResult['status'];
export type Timings = ExecutionResult['timings'];
