import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PistonOptions, StandIn } from './server.ts';

export interface Recorded {
  name: string;
  server: 'default' | 'limits' | 'dead';
  request: {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: string;
    base64?: string;
    /** What the body was, where it is too long to stand there. */
    note?: string;
  };
  response: Answer;
}

interface Answer {
  /** Null where there was no answer. */
  status: number | null;
  type: string | null;
  body: string | null;
}

const path = join(import.meta.dirname, 'transcript.json');

/** What was asked of a real Piston, and what it answered. */
export const recorded = (JSON.parse(readFileSync(path, 'utf8')) as { requests: Recorded[] }).requests;

/** The servers that it was recorded from. */
export const servers: Record<Recorded['server'], PistonOptions> = {
  default: {},
  limits: {
    limits: { run_memory_limit: 100_000_000 },
    overrides: { bash: { run_timeout: 500, output_max_size: 16 } },
    jobs: 1,
  },
  dead: { dead: true },
};

const python = { language: 'python', version: '3.10.0' };
const printsLength = 'import sys\nprint(len(sys.stdin.buffer.read()))';
const functions = Array.from({ length: 600 }, (_, n) => `int f${n}(int x){return x*${n}+x%7;}`);

const noted: Record<string, unknown> = {
  'JSON of 102400 bytes': padded(102_400),
  'JSON of 102401 bytes': padded(102_401),
  'stdin is 80000 times y': { ...python, files: [{ content: printsLength }], stdin: 'y'.repeat(80_000) },
  'stdin is 40000 times é': { ...python, files: [{ content: printsLength }], stdin: 'é'.repeat(40_000) },
  'main.c of 600 small functions': {
    language: 'c',
    version: '10.2.0',
    files: [{ name: 'main.c', content: `${functions.join('\n')}\nint main(void){return 0;}` }],
    compile_cpu_time: 20,
  },
};

function padded(bytes: number): unknown {
  const body = { ...python, files: [{ content: 'print(1)' }], padding: '' };
  return { ...body, padding: 'x'.repeat(bytes - JSON.stringify(body).length) };
}

/** What is asked with longer times than were recorded, by its name: for a machine with much to do. */
export const unhurried: Record<string, [recorded: string, asked: string]> = {
  'timeout, wall, 300 ms asked': ['"run_timeout":300', '"run_timeout":2000'],
  'timeout, output not flushed': ['"run_timeout":300', '"run_timeout":2000'],
  'timeout, SIGTERM ignored': ['"run_timeout":300', '"run_timeout":2000'],
  'output 1000 + 100': ['sleep(.2)', 'sleep(.8)'],
  'output 2000, non-ASCII': ['sleep(.3)', 'sleep(1.5)'],
  'output 600 é in two writes': ['sleep(.2)', 'sleep(.8)'],
  'output UTF-8 split over two writes': ['sleep .1', 'sleep 1'],
  'output interleaved': ['sleep(.05)', 'sleep(.3)'],
};

/** Asks a stand-in the same. */
export async function ask(url: string, { name, request }: Recorded): Promise<Answer> {
  const { method, headers = {}, body, base64, note } = request;
  const [hurried, asked] = unhurried[name] ?? ['', ''];
  const text = note === undefined ? body?.replaceAll(hurried, asked) : JSON.stringify(noted[note]);
  const bytes = base64 === undefined ? text && Buffer.from(text) : Buffer.from(base64, 'base64');
  try {
    const answer = await fetch(url + request.path, { method, headers, ...(bytes && { body: bytes }) });
    const said = await answer.text();
    const isEmpty = said === '' && answer.headers.get('content-type') === null;
    return { status: answer.status, type: answer.headers.get('content-type'), body: isEmpty ? null : said };
  } catch {
    return { status: null, type: null, body: null };
  }
}

/** How a record ends that is not whole. */
const cut = /… \(\d+ characters\)$/;

/** Whether an answer is the recorded one, but for times, memory, process numbers, stacks, tracebacks and compilers' words. */
export function compare(answer: Answer, { response }: Recorded, { root }: Pick<StandIn, 'root'>) {
  const said = { ...answer, body: answer.body && steady(answer.body, root) };
  const expected = { ...response, body: response.body && steady(response.body.replace(cut, ''), root) };
  if (said.body && expected.body && cut.test(response.body ?? '')) {
    said.body = said.body.slice(0, expected.body.length);
  }
  return { said, expected };
}

function steady(body: string, root: string): string {
  return body
    .replaceAll(new RegExp(`${root}/box-\\w+`, 'g'), '/box')
    .replaceAll(root, '')
    .replaceAll(/(?<="(memory|cpu_time|wall_time)":)[\d.]+/g, '0')
    .replaceAll(/(?<=line \d+:) +\d+ /g, ' PID ')
    .replaceAll(/(?<=most recent call last\):).*?(?=\\n\w+Error)/g, ' …')
    .replaceAll(/main\.c\.c:(?:[^"\\]|\\.)*/g, 'the compiler’s words')
    .replace(/^(\{"stack":".*?)\\n.*$/s, '$1');
}
