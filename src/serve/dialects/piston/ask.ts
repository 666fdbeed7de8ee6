import type { PistonRuntime } from '../../../piston/piston.ts';
import { workspacePath } from '../../../request/session.ts';
import { Refusal } from './refusal.ts';

/** What a client names before anything is known of its language. */
export interface Wanted {
  language: string;
  version: string;
  files: unknown[];
}

/** A selector of versions is worked through while nobody else is served. */
const longestName = 256;

export const encodings = ['utf8', 'base64', 'hex'] as const;

export interface AskedFile {
  name: string;
  /** Whether the client named it. */
  isNamed: boolean;
  content: string;
  encoding: (typeof encodings)[number];
}

export const limitNames = [
  'compile_memory_limit',
  'run_memory_limit',
  'compile_timeout',
  'run_timeout',
  'compile_cpu_time',
  'run_cpu_time',
] as const;
export type LimitName = (typeof limitNames)[number];

/** Milliseconds and bytes; what is not asked for is not there. */
export type AskedLimits = Partial<Record<LimitName, number>>;

export interface Asked {
  runtime: PistonRuntime;
  files: AskedFile[];
  /** With its last line ended. */
  stdin: string;
  args: string[];
  limits: AskedLimits;
}

/** How much a request may hold, and the most of its limits; undefined where that is for another to say. */
export interface Bounds {
  files: number;
  bytes: number;
  limits: Record<LimitName, number> | undefined;
}

/** The first checks, in Piston's order. Throws Refusal. */
export function readWanted(body: unknown): Wanted {
  const { language, version, files } = fieldsOf(body);
  if (typeof language !== 'string' || language === '') throw new Refusal('language is required as a string');
  if (typeof version !== 'string' || version === '') throw new Refusal('version is required as a string');
  for (const [name, text] of [
    ['language', language],
    ['version', version],
  ] as const) {
    if (text.length > longestName) throw new Refusal(`${name} cannot exceed ${longestName} characters`);
  }
  if (!Array.isArray(files)) throw new Refusal('files is required as an array');
  for (const [place, file] of files.entries()) {
    if (typeof fieldsOf(file).content !== 'string')
      throw new Refusal(`files[${place}].content is required as a string`);
  }
  return { language, version, files };
}

/** The others: those of Piston in its order, then what it does not check. Throws Refusal. */
export function readAsked(body: unknown, runtime: PistonRuntime, bounds: Bounds): Asked {
  const { files, stdin, args, ...rest } = fieldsOf(body);
  const given = (files as unknown[]).map(fieldsOf);
  if (!given.some(({ encoding }) => !encoding || encoding === 'utf8'))
    throw new Refusal('files must include at least one utf8 encoded file');
  const limits: AskedLimits = {};
  for (const name of limitNames) {
    const limit = readLimit(name, rest[name], bounds.limits?.[name]);
    if (limit !== undefined) limits[name] = limit;
  }
  return { runtime, files: readFiles(given, bounds), stdin: readStdin(stdin), args: readArgs(args), limits };
}

/** 0, false, null and '' ask for nothing: they lift no limit. A memory of less than nothing does so too, as clients write it. */
function readLimit(name: LimitName, value: unknown, most: number | undefined): number | undefined {
  if (!value) return undefined;
  if (typeof value !== 'number') throw new Refusal(`If specified, ${name} must be a number`);
  if (most !== undefined && value > most)
    throw new Refusal(`${name} cannot exceed the configured limit of ${most}`);
  if (value > 0) return value;
  if (name.endsWith('_memory_limit')) return undefined;
  throw new Refusal(`${name} must be non-negative`);
}

function readFiles(given: Record<string, unknown>[], bounds: Bounds): AskedFile[] {
  if (given.length > bounds.files)
    throw new Refusal(`files cannot exceed the configured limit of ${bounds.files}`);
  const files = given.map(({ name, content, encoding }, place): AskedFile => {
    const named = readName(place, name);
    return {
      name: named ?? `file${place}.code`,
      isNamed: named !== undefined,
      content: String(content),
      encoding: encodings.find((each) => each === encoding) ?? 'utf8',
    };
  });
  const bytes = files.reduce((sum, { content, encoding }) => sum + Buffer.byteLength(content, encoding), 0);
  if (bytes > bounds.bytes)
    throw new Refusal(`files are ${bytes} bytes; they cannot exceed the configured limit of ${bounds.bytes}`);
  return files;
}

function readName(place: number, name: unknown): string | undefined {
  if (name === undefined || name === null || name === '') return undefined;
  if (typeof name !== 'string') throw new Refusal(`If specified, files[${place}].name must be a string`);
  const [issue] = workspacePath.safeParse(name).error?.issues ?? [];
  if (issue) throw new Refusal(`files[${place}].name: ${issue.message}`);
  return name;
}

function readStdin(stdin: unknown): string {
  if (stdin !== undefined && stdin !== null && typeof stdin !== 'string')
    throw new Refusal('If specified, stdin must be a string');
  return stdin?.endsWith('\n') ? stdin : `${stdin ?? ''}\n`;
}

function readArgs(args: unknown): string[] {
  if (args === undefined || args === null) return [];
  const isText = (each: unknown) => typeof each === 'string' || typeof each === 'number';
  if (!Array.isArray(args) || !args.every(isText))
    throw new Refusal('If specified, args must be an array of strings');
  return args.map(String);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
