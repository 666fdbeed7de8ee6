import type { Piston } from '../../../piston/piston.ts';
import { findRuntime } from '../../../piston/runtimes.ts';
import type { Interpreter } from '../launch.ts';
import { LibreChatError } from './errors.ts';

/** Languages by the names that LibreChat has for them. */
const languages: Record<string, string> = {
  py: 'python',
  js: 'javascript',
  ts: 'typescript',
  c: 'c',
  cpp: 'c++',
  java: 'java',
  php: 'php',
  rs: 'rust',
  go: 'go',
  d: 'd',
  f90: 'fortran',
  r: 'rscript',
  bash: 'bash',
};

/** What a program runs in. */
export interface Runnable {
  /** As our requests name it: the sandbox knows Python alone. */
  language: string;
  /** Of the sandbox; undefined where the Piston behind runs it. */
  interpreter: Interpreter | undefined;
}

/** LibreChat reads and writes files by bash: so that runs where the files are. */
const interpreters: readonly Interpreter[] = ['python', 'bash'];

/** Where a language runs. Throws LibreChatError where it cannot run here, ServiceError. */
export async function runnable(
  lang: string,
  piston: Pick<Piston, 'runtimes'> | undefined,
  signal: AbortSignal,
): Promise<Runnable> {
  const language = languageOf(lang);
  const unsupported = (why?: string) => new LibreChatError(400, `Unsupported language: ${lang}`, why);
  if (language === undefined) throw unsupported();
  const interpreter = interpreters.find((each) => each === language);
  if (interpreter) return { language: 'python', interpreter };
  if (!piston)
    throw unsupported(
      'This server runs Python and bash alone; its operator may set pistonUrl for other languages.',
    );
  if (!findRuntime(await piston.runtimes(signal), language))
    throw unsupported('Its operator has not installed it on the Piston behind.');
  return { language, interpreter: undefined };
}

/** Our name of a language; undefined where LibreChat has none such. */
export function languageOf(lang: string): string | undefined {
  return Object.hasOwn(languages, lang) ? languages[lang] : undefined;
}
