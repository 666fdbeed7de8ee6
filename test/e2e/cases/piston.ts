/** Where the `piston` dialect answers otherwise than Piston did, by the name in the transcript. Each is told in docs/dialects/piston.md. */

interface Deviation {
  why: string;
  status: number;
  body: RegExp;
  /** JSON, where nothing is said. */
  type?: string;
}

const said = (message: string) => new RegExp(`^{"message":"${message}"}$`);
const ran = (output: string, more = '"code":0') =>
  new RegExp(`^{"run":{"signal":null,"stdout":"${output}","stderr":"",${more},"output":"${output}"`);
const stopped = (status: string, message: string, stdout = '') =>
  new RegExp(
    `"signal":"SIGKILL","stdout":"${stdout}".*"code":null.*"message":"${message}","status":"${status}"`,
  );

const clean = 'an error is a message, and no stack';
const checked = 'what is no text is refused, not taken as something else';
const named = 'names are paths below the working directory';
const single = 'a file alone, without a name, is /workspace/main.py';
const limited = 'nothing lifts a limit';
const longer = 'more output is kept, and what is kept is not thrown away';
const ours = 'limits of the sandbox';

const tooLong = stopped('TO', 'Time limit exceeded \\(wall clock\\)');
const stdinWrong = said('If specified, stdin must be a string');
const argsWrong = said('If specified, args must be an array of strings');
const nameWrong = /^{"message":"files\[0\]\.name: a path is relative to the workspace/;
const x = (count: number) => `x{${count}}\\\\n`;

export const deviations: Record<string, Deviation> = {
  'OPTIONS execute': {
    why: 'text is text',
    status: 200,
    body: /^POST$/,
    type: 'text/plain',
  },
  'where and who': { why: 'the stand-in behind has no box', status: 200, body: /"language":"bash"/ },
  'c, compile error over 1024 bytes': {
    why: 'what Piston drops depends on the pieces in which it came',
    status: 200,
    body: /^{"compile":.*"message":"stderr length exceeded","status":"EL".*"run":.*"status":"EL"/,
  },
  'c, compile memory': {
    why: 'the stand-in behind looks at memory every few milliseconds, in which a small compiler may end',
    status: 200,
    body: /^{"compile":{"signal":.*"run":.*"language":"c","version":"10\.2\.0"}$/,
  },
  'runtimes, public prefix': {
    why: 'the paths of the public service are answered, too',
    status: 200,
    body: /^\[{"language":"python"/,
  },
  'type with charset=latin1': { why: clean, status: 400, body: said('The body cannot be read: .*LATIN1.*') },
  'bad JSON': { why: clean, status: 400, body: said('The body is not JSON: .*') },
  'bad JSON, bare word': { why: clean, status: 400, body: said('The body is not JSON: .*') },
  'bad JSON on an unknown path': { why: clean, status: 400, body: said('The body is not JSON: .*') },
  'JSON null': { why: clean, status: 400, body: said('The body is not JSON: .*') },
  'unknown content-encoding': { why: clean, status: 400, body: said('The body cannot be read: .*') },
  'body of 102401 bytes': { why: 'larger bodies are taken', status: 200, body: ran('1\\\\n') },
  '400? files [null]': {
    why: clean,
    status: 400,
    body: said('files\\[0\\]\\.content is required as a string'),
  },
  'run_timeout 0 means none': { why: limited, status: 200, body: tooLong },
  'run_timeout false means none': { why: limited, status: 200, body: tooLong },
  'run_cpu_time 0 means none': { why: limited, status: 200, body: tooLong },
  'stdin number': { why: checked, status: 400, body: stdinWrong },
  'stdin object': { why: checked, status: 400, body: stdinWrong },
  'stdin array': { why: checked, status: 400, body: stdinWrong },
  'args string': { why: checked, status: 400, body: argsWrong },
  'args number': { why: checked, status: 400, body: argsWrong },
  'args object': { why: checked, status: 400, body: argsWrong },
  'args with NUL': {
    why: checked,
    status: 400,
    body: said('a NUL cannot be passed in arguments and variables'),
  },
  'python stdin and args': {
    why: single,
    status: 200,
    body: ran(`'a\\\\\\\\nb\\\\\\\\n' \\['/workspace/main\\.py', 'one', 'two words', '', '-x'\\]\\\\n`),
  },
  'args null': { why: single, status: 200, body: ran(`\\['/workspace/main\\.py'\\]\\\\n`) },
  'names: absolute': { why: named, status: 400, body: nameWrong },
  'names: escape': { why: named, status: 400, body: nameWrong },
  'names: dots inside': { why: named, status: 400, body: nameWrong },
  'names: ..a': { why: named, status: 200, body: ran('1\\\\n') },
  'names: .': { why: named, status: 400, body: nameWrong },
  'names: NUL': { why: named, status: 400, body: nameWrong },
  'names: number': {
    why: checked,
    status: 400,
    body: said('If specified, files\\[0\\]\\.name must be a string'),
  },
  'names: leading dash': { why: 'a name is no option', status: 200, body: ran('1\\\\n') },
  'timeout, output not flushed': {
    why: 'what was printed is kept, flushed or not',
    status: 200,
    body: stopped('TO', 'Time limit exceeded \\(wall clock\\)', 'before\\\\n'),
  },
  'cpu time': { why: 'time is that of the clock', status: 200, body: tooLong },
  'output 1025 bytes, then exit': { why: longer, status: 200, body: ran(x(1024)) },
  'output 1025 bytes, then sleep': { why: longer, status: 200, body: ran(x(1024)) },
  'output 1000 + 100': { why: longer, status: 200, body: ran(`${x(999)}y{100}\\\\n`) },
  'output 2000, non-ASCII': { why: longer, status: 200, body: ran('é{600}\\\\n') },
  'output 600 é in two writes': { why: longer, status: 200, body: ran('é{400}\\\\né{400}\\\\n') },
  'stderr 1025 bytes': { why: longer, status: 200, body: /"stderr":"x{1024}\\n","code":0/ },
  'stdout kept, stderr over': {
    why: longer,
    status: 200,
    body: /"stdout":"ok\\n","stderr":"x{1100}\\n","code":0/,
  },
  'memory limit': { why: ours, status: 200, body: /"stderr":".*MemoryError\\n(Killed\\n)?","code":(1|137),/ },
  'memory limit below any use': { why: 'less than 64 MiB is 64 MiB', status: 200, body: ran('1\\\\n') },
  'fork limit': { why: ours, status: 200, body: /\d+ \[Errno 11\] Resource temporarily unavailable/ },
  'file size limit': { why: ours, status: 200, body: ran('') },
  'open files': { why: ours, status: 200, body: /\d+ \[Errno 24\] Too many open files/ },
};
