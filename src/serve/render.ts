import type { ExecutionResult } from '../result/execution-result.ts';

/** A result as text that a model reads well: how it ended first, then the streams, then what to know. */
export function renderResult(result: ExecutionResult): string {
  const ran = result.timings.ran === null ? '' : ` after ${result.timings.ran.toFixed(2)} s`;
  const code = result.exit_code === null ? '' : `, exit code ${result.exit_code}`;
  const signal = result.signal === null ? '' : `, ${result.signal}`;
  const lines = [`${result.status}${code}${signal}${ran}`];
  if (result.status !== 'succeeded') lines.push(result.message);
  lines.push(...section('stdout', result), ...section('stderr', result));
  if (result.stdout_bytes === 0 && result.stderr_bytes === 0) lines.push('', '(no output)');
  for (const hint of result.hints) lines.push('', `Note: ${hint}`);
  return lines.join('\n');
}

function section(stream: 'stdout' | 'stderr', result: ExecutionResult): string[] {
  const text = result[stream];
  if (text === '') return [];
  const notes =
    result[`${stream}_base64`] === null ? '' : ' (not UTF-8; the exact bytes are in the structured result)';
  return ['', `${stream}${notes}:`, text.endsWith('\n') ? text.slice(0, -1) : text];
}
