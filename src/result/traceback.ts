/** A traceback's end is far shorter than this. */
const tailCharacters = 8192;
const longestName = 100;

/** The last exception of a traceback. */
export interface LastException {
  /** Without its module. */
  type: string;
  /** Its first line. */
  message: string;
  /** The lines of the traceback up to it. */
  frames: string;
}

/** The exception that the last traceback on stderr ends with. */
export function lastException(stderr: string): LastException | undefined {
  const tail = stderr.slice(-tailCharacters);
  const header = 'Traceback (most recent call last):\n';
  const from = tail.lastIndexOf(header);
  // The header of a long traceback lies before the tail, and its frames come first here.
  const traceback = from >= 0 ? tail.slice(from + header.length) : tail.length < stderr.length ? tail : '';
  const found = /^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*): (.*)$/m.exec(traceback);
  if (!found) return undefined;
  const [, type = '', message = ''] = found;
  return { type, message, frames: traceback.slice(0, found.index) };
}

const missing = [
  /^No module named '([\w.]+)'/,
  // What pandas says of what it can do without.
  /^Missing optional dependency '([\w.-]+)'/,
  /^`Import ([\w.-]+)` failed\./,
];

/** The module that the last exception on stderr did not find. */
export function missingModule(stderr: string): string | undefined {
  const last = lastException(stderr);
  if (last?.type !== 'ModuleNotFoundError' && last?.type !== 'ImportError') return undefined;
  const module = firstOf(missing, last.message);
  return module !== undefined && module.length <= longestName ? module : undefined;
}

/** What the last exception on stderr did not find: a file, or a program to run. */
export function missingFile(stderr: string): { path: string; isProgram: boolean } | undefined {
  const last = lastException(stderr);
  if (last?.type !== 'FileNotFoundError') return undefined;
  const path = firstOf(
    [
      /No such file or directory: b?'([^']+)'/,
      /No such file or directory: b?"([^"]+)"/,
      /^(.+) not found\.$/,
    ],
    last.message,
  );
  return path === undefined ? undefined : { path, isProgram: last.frames.includes('in _execute_child') };
}

/** A shared library that the last exception on stderr did not find. */
export function missingLibrary(stderr: string): string | undefined {
  const last = lastException(stderr);
  if (last?.type !== 'ImportError') return undefined;
  return firstOf([/^(lib[\w.+-]+): cannot open shared object file/], last.message);
}

function firstOf(patterns: RegExp[], text: string): string | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}
