import type { Artifact, ExecutionResult } from '../../../src/result/execution-result.ts';

/** A run that printed two lines. */
export const result: ExecutionResult = {
  execution_id: 'id',
  status: 'succeeded',
  exit_code: 0,
  signal: null,
  stdout: 'one\ntwo\n',
  stderr: '',
  stdout_base64: null,
  stderr_base64: null,
  stdout_bytes: 8,
  stderr_bytes: 0,
  truncated: false,
  message: 'The code ran to its end.',
  value: null,
  artifacts: [],
  left_out: { total: 0, files: [] },
  hints: [],
  timings: { environment: null, queued: 0, scheduled: 0.1, started: 0.2, ran: 1.234, total: 2 },
};

/** A file that was kept. */
export const artifact: Artifact & { id: string } = {
  id: 'id',
  path: 'plots/a.png',
  name: 'a.png',
  kind: 'output',
  mime_type: 'image/png',
  size: 1023,
  sha256: null,
  url: null,
  error: null,
};
