import { randomBytes } from 'node:crypto';
import type { Placed } from './exchange.ts';

/** Code for the engine, and the files that it finds in its working directory. */
export interface Launched {
  code: string;
  files: Placed[];
}

export type Interpreter = 'python' | 'bash';

/** The name under which the engine runs code. */
export const ownName = 'main.py';

/**
 * A program beside the files of a client. Where one of these goes by the engine's name, or the program is none of Python,
 * the program has a name of its own, and an interpreter that takes the place of the first.
 */
export function beside(
  files: readonly Placed[],
  code: string,
  interpreter: Interpreter = 'python',
): Launched {
  if (interpreter === 'python' && !files.some(({ path }) => path === ownName))
    return { code, files: [...files] };
  const path = hidden(interpreter === 'python' ? '.py' : '.sh');
  return launch([...files, { path, bytes: Buffer.from(code) }], path, interpreter);
}

/** Runs one of the files. One that goes by the engine's name waits under another until the engine's has done its work. */
export function launch(
  files: readonly Placed[],
  path: string,
  interpreter: Interpreter = 'python',
): Launched {
  const held = files.some((file) => file.path === ownName) ? hidden('') : undefined;
  return {
    code: launcher(path, held, interpreter),
    files: files.map((file) => (file.path === ownName ? { ...file, path: held ?? ownName } : file)),
  };
}

function hidden(ending: string): string {
  return `.${randomBytes(8).toString('hex')}${ending}`;
}

/** `--` ends the options: no name is one. JSON's strings are strings of Python. An assignment leaves no value to keep. */
function launcher(path: string, held: string | undefined, interpreter: Interpreter): string {
  const [program, name] =
    interpreter === 'python' ? ['sys.executable', 'sys.executable'] : ['"/bin/bash"', '"bash"'];
  return [
    'import os, sys',
    held === undefined ? `os.unlink("${ownName}")` : `os.replace("${held}", "${ownName}")`,
    `_ = os.execv(${program}, [${name}, "--", ${JSON.stringify(path)}, *sys.argv[1:]])`,
    '',
  ].join('\n');
}
