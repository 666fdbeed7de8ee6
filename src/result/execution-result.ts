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

export const artifact = z.strictObject({
  id: z.string().nullable().describe('Null where it could not be kept.'),
  path: z.string().describe('Below output/, or the name of a figure.'),
  name: z.string(),
  kind: z.enum(['output', 'figure']),
  mime_type: z.string(),
  size: byteCount.describe('Bytes.'),
  sha256: z.string().nullable(),
  url: z.string().nullable().describe('Where to get it.'),
  error: z.string().nullable().describe('Why it could not be kept.'),
});

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
  value: z
    .strictObject({ text: z.string(), html: z.string().nullable() })
    .nullable()
    .describe('The value of the last expression, if it has one.'),
  artifacts: z
    .array(artifact)
    .describe('Figures that were shown or left open, and what the code wrote to output/.'),
  left_out: z
    .strictObject({
      total: z.number().int().nonnegative(),
      files: z.array(
        z.strictObject({ path: z.string(), reason: z.enum(['type', 'count', 'size', 'name', 'unreadable']) }),
      ),
    })
    .describe('Files that the run left and that are not among the artifacts, 100 of them by name.'),
  hints: z.array(z.string()),
  timings: z
    .strictObject({
      environment: secondsOrNull.describe('Waiting for the environment of the requirements.'),
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
export type Artifact = z.infer<typeof artifact>;
export type Timings = ExecutionResult['timings'];
