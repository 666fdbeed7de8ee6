import type { Artifact, ExecutionResult } from '../result/execution-result.ts';
import type { PackageList } from '../result/packages.ts';

const mostLeftOut = 10;

/** A result as text that a model reads well: how it ended first, then the streams and the value, then what to know. */
export function renderResult(result: ExecutionResult): string {
  const ran = result.timings.ran === null ? '' : ` after ${result.timings.ran.toFixed(2)} s`;
  const code = result.exit_code === null ? '' : `, exit code ${result.exit_code}`;
  const signal = result.signal === null ? '' : `, ${result.signal}`;
  const lines = [`${result.status}${code}${signal}${ran}`];
  if (result.status !== 'succeeded') lines.push(result.message);
  lines.push(...stream('stdout', result), ...stream('stderr', result), ...value(result));
  if (result.stdout_bytes === 0 && result.stderr_bytes === 0) lines.push('', '(no output)');
  lines.push(...section('artifacts', result.artifacts.map(describeArtifact)), ...leftOut(result));
  for (const hint of result.hints) lines.push('', `Note: ${hint}`);
  return lines.join('\n');
}

/** Packages as text, one a line. */
export function renderPackages({ python, packages }: PackageList): string {
  return [`Python ${python}`, ...packages.map(({ name, version }) => `${name} ${version}`)].join('\n');
}

/** "plots/a.png (12.3 KiB, image/png)", or why it was not kept. */
export function describeArtifact({ path, size, mime_type, error }: Artifact): string {
  return `${path} (${formatSize(size)}, ${mime_type})${error === null ? '' : `: not kept. ${error}`}`;
}

/** "812 bytes", "12.3 KiB", "4.0 MiB". */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1_048_576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function stream(name: 'stdout' | 'stderr', result: ExecutionResult): string[] {
  const notes =
    result[`${name}_base64`] === null ? '' : ' (not UTF-8; the exact bytes are in the structured result)';
  return result[name] === '' ? [] : section(name + notes, [withoutLineEnd(result[name])]);
}

/** The value of the last expression, unless the program printed it last. */
function value({ value: last, stdout }: ExecutionResult): string[] {
  if (last === null) return [];
  const text = withoutLineEnd(last.text);
  return `\n${withoutLineEnd(stdout)}`.endsWith(`\n${text}`) ? [] : section('value', [text]);
}

function leftOut({ left_out: { total, files } }: ExecutionResult): string[] {
  const named = files.slice(0, mostLeftOut).map(({ path, reason }) => `${path} (${reason})`);
  const more = total - named.length;
  return section('left out of the artifacts', more > 0 ? [...named, `and ${more} more`] : named);
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}

function withoutLineEnd(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
