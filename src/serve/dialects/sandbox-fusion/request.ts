import { z } from 'zod';
import { contentFault } from '../../../request/files.ts';
import { workspacePath } from '../../../request/session.ts';
import { ServiceError } from '../../../result/errors.ts';
import { laxInteger, laxNumber } from '../pydantic.ts';

/** All languages that clients may name, and what those that can run here are called. */
const languages = {
  python: 'python',
  cpp: 'c++',
  nodejs: 'javascript',
  go: 'go',
  go_test: undefined,
  java: 'java',
  php: 'php',
  csharp: 'csharp',
  bash: 'bash',
  typescript: 'typescript',
  sql: 'sqlite3',
  rust: 'rust',
  cuda: undefined,
  lua: 'lua',
  R: 'rscript',
  perl: 'perl',
  D_ut: undefined,
  ruby: 'ruby',
  scala: 'scala',
  julia: 'julia',
  pytest: undefined,
  junit: undefined,
  kotlin_script: 'kotlin',
  jest: undefined,
  verilog: 'iverilog',
  python_gpu: undefined,
  lean: undefined,
  swift: 'swift',
  racket: 'racket',
} as const;

type Language = keyof typeof languages;

export const runCodeBody = z.object({
  code: z.string(),
  language: z.enum(Object.keys(languages) as [Language, ...Language[]]),
  compile_timeout: laxNumber.default(10),
  run_timeout: laxNumber.default(10),
  memory_limit_MB: laxInteger.default(-1),
  stdin: z.string().nullable().default(null),
  files: z.record(z.string(), z.string().nullable()).default({}),
  fetch_files: z.array(z.string()).default([]),
});

export type RunCode = z.infer<typeof runCodeBody>;

/** What its language is called here. Throws ServiceError where it cannot run. */
export function languageOf({ language }: RunCode, hasPiston: boolean): string {
  const name = languages[language];
  if (name === undefined) throw new ServiceError('invalid_request', `This server cannot run "${language}".`);
  if (name !== 'python' && !hasPiston) {
    const why = `This server runs Python alone, and not "${language}": its setting pistonUrl is empty.`;
    throw new ServiceError('invalid_request', why);
  }
  return name;
}

/** The files of a request; those without content are none. Throws ServiceError. */
export function filesOf(
  { files }: RunCode,
  most: { inputFiles: number; inputBytes: number },
): { path: string; bytes: Buffer }[] {
  const given = Object.entries(files).flatMap(([path, content]) =>
    content === null ? [] : [{ path: relative(path), bytes: bytesOf(path, content) }],
  );
  const size = given.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (given.length > most.inputFiles)
    throw new ServiceError('too_large', `There are more than ${most.inputFiles} files.`);
  if (size > most.inputBytes) {
    const why = `The files are ${size} bytes together; the limit is ${most.inputBytes}.`;
    throw new ServiceError('too_large', why);
  }
  return given;
}

/** Base64, which may be in lines. Throws ServiceError. */
function bytesOf(path: string, content: string): Buffer {
  const text = content.replace(/\s+/g, '');
  const fault = contentFault({ content_base64: text });
  if (fault === undefined) return Buffer.from(text, 'base64');
  throw new ServiceError('invalid_request', `"${path.slice(0, 100)}": ${fault}.`);
}

/** A path below the working directory, as it may also come from a client that knows its name. Throws ServiceError. */
export function relative(path: string): string {
  const parsed = workspacePath.safeParse(path.replace(/^(\.\/|\/workspace\/)/, ''));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const why = `"${path.slice(0, 100)}" is no path of a file: ${issue?.message ?? ''}.`;
  throw new ServiceError('invalid_request', why);
}
