import type { Limits } from './server.ts';
import { findRuntime, type Runtime } from './runtimes.ts';

export interface File {
  name?: unknown;
  content: string;
  encoding?: unknown;
}

/** What is to be run, as far as Piston checks it. */
export interface Ask {
  runtime: Runtime;
  files: File[];
  stdin: string;
  args: unknown;
  limits: Limits;
}

const limitNames = [
  'compile_memory_limit',
  'run_memory_limit',
  'compile_timeout',
  'run_timeout',
  'compile_cpu_time',
  'run_cpu_time',
] as const;

/** A request that is refused: its answer's body. */
export class Refused extends Error {
  readonly body: object;

  constructor(body: object) {
    super('refused');
    this.body = body;
  }
}

/** Checks in the order that Piston does. Throws Refused. */
export function readAsk(
  body: Record<string, unknown>,
  runtimes: Runtime[],
  limitsOf: (language: string) => Limits,
): Ask {
  const { language, version, files, stdin, args } = body;
  if (typeof language !== 'string' || language === '') throw refused('language is required as a string');
  if (typeof version !== 'string' || version === '') throw refused('version is required as a string');
  if (!Array.isArray(files)) throw refused('files is required as an array');
  for (const [place, file] of (files as unknown[]).entries()) {
    // Piston reads the content of null, and answers with the error that this is.
    if (file === null) throw new Refused({});
    if (typeof (file as { content?: unknown }).content !== 'string')
      throw refused(`files[${place}].content is required as a string`);
  }
  const runtime = findRuntime(runtimes, language, version);
  if (!runtime) throw refused(`${language}-${version} runtime is unknown`);
  const checked = files as File[];
  if (!checked.some(({ encoding }) => !encoding || encoding === 'utf8'))
    throw refused('files must include at least one utf8 encoded file');
  const limits = limitsOf(runtime.language);
  for (const name of limitNames) check(name, body[name], limits[name]);
  const asked = limitNames.map((name) => [name, Number(body[name] ?? limits[name])] as const);
  return {
    runtime,
    files: checked,
    stdin: readStdin(stdin ?? ''),
    args: args ?? [],
    limits: { ...limits, ...(Object.fromEntries(asked) as Partial<Limits>) },
  };
}

/** 0, false and '' are no limit at all. */
function check(name: string, value: unknown, most: number): void {
  if (!value) return;
  if (typeof value !== 'number') throw refused(`If specified, ${name} must be a number`);
  if (most <= 0) return;
  if (value > most) throw refused(`${name} cannot exceed the configured limit of ${most}`);
  if (value < 0) throw refused(`${name} must be non-negative`);
}

/** A list is joined by commas; another thing that is no text fails where Piston looks at its end. */
function readStdin(stdin: unknown): string {
  if (typeof stdin !== 'string' && !Array.isArray(stdin)) throw new Refused({});
  const text = String(stdin);
  return text.endsWith('\n') ? text : `${text}\n`;
}

function refused(message: string): Refused {
  return new Refused({ message });
}
