import { z } from 'zod';
import { executionResult } from './execution-result.ts';

/** A run while it goes on, and after its end. */
export const executionView = z.strictObject({
  execution_id: z.string(),
  state: z.enum(['queued', 'starting', 'running', 'ended']),
  stdout: z.string().describe('What it has written so far.'),
  stderr: z.string().describe('What it has written so far.'),
  result: executionResult.nullable().describe('The result, once it has ended.'),
});

export type ExecutionView = z.infer<typeof executionView>;
