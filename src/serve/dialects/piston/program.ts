import { randomBytes } from 'node:crypto';
import type { AskedFile } from './ask.ts';

/** The program of a request, and the files that stand in its working directory. */
export interface PythonProgram {
  code: string;
  files: { path: string; bytes: Buffer }[];
}

/** The name under which the engine runs code. */
const own = 'main.py';

/**
 * The main file is the first that is text. A single one without a name, or one that is called as the engine calls its code,
 * is the code itself. Another is run by its own name, by an interpreter that takes the place of the first.
 */
export function programOf(files: readonly AskedFile[]): PythonProgram {
  const placed = new Map(files.map(({ name, content, encoding }) => [name, Buffer.from(content, encoding)]));
  const main = files.find(({ encoding }) => encoding === 'utf8');
  if (!main) throw new Error('The files have been checked: one is text.');
  const isAlone = files.length === 1;
  if (main.name === own || (isAlone && !main.isNamed)) {
    const code = isAlone ? main.content : (placed.get(main.name)?.toString('utf8') ?? '');
    placed.delete(main.name);
    return { code, files: listOf(placed) };
  }
  // Where a file of the client goes by the engine's name, it waits under another until the engine's has done its work.
  const its = placed.get(own);
  const held = its && `.${randomBytes(8).toString('hex')}`;
  if (its && held !== undefined) {
    placed.delete(own);
    placed.set(held, its);
  }
  return { code: launcher(main.name, held), files: listOf(placed) };
}

/** `--` ends the options: no name is one. JSON's strings are strings of Python. An assignment leaves no value to keep. */
function launcher(name: string, held: string | undefined): string {
  return [
    'import os, sys',
    held === undefined ? `os.unlink("${own}")` : `os.replace("${held}", "${own}")`,
    `_ = os.execv(sys.executable, [sys.executable, "--", ${JSON.stringify(name)}, *sys.argv[1:]])`,
    '',
  ].join('\n');
}

function listOf(placed: Map<string, Buffer>) {
  return [...placed].map(([path, bytes]) => ({ path, bytes }));
}
