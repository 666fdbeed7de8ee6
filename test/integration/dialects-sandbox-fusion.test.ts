import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Piston } from '../../src/piston/piston.ts';
import { ServiceError } from '../../src/result/errors.ts';
import { sandboxFusion } from '../../src/serve/dialects/sandbox-fusion/sandbox-fusion.ts';
import { dialectDoor, type DialectDoor } from './dialect-door.ts';

const door = (t: TestContext, options: Parameters<typeof dialectDoor>[2] = {}) =>
  dialectDoor(t, sandboxFusion, options);

const base64 = (text: string) => Buffer.from(text).toString('base64');

async function runCode(opened: DialectDoor, body: object) {
  const answer = await opened.post('/run_code', { code: 'x', language: 'python', ...body });
  return { status: answer.status, body: answer.body as Record<string, unknown> };
}

describe('/run_code of SandboxFusion', () => {
  it('answers in its shape', async (t) => {
    const opened = await door(t);
    opened.script = ({ code, stdin, timeout_seconds, limits }) => ({
      stdout: JSON.stringify([code, stdin, timeout_seconds, limits]),
    });
    const { status, body } = await runCode(opened, { stdin: 'in', run_timeout: 2.5, memory_limit_MB: 128 });
    assert.equal(status, 200);
    assert.deepEqual(body, {
      status: 'Success',
      message: '',
      compile_result: null,
      run_result: {
        status: 'Finished',
        execution_time: 1.234,
        return_code: 0,
        stdout: '["x","in",2.5,{"memory_mb":128}]',
        stderr: '',
      },
      executor_pod_name: null,
      files: {},
    });
  });

  it('has its defaults', async (t) => {
    const opened = await door(t);
    await runCode(opened, {});
    const [{ request, options } = {}] = opened.runs;
    assert.deepEqual([request?.timeout_seconds, request?.limits, request?.stdin], [10, {}, '']);
    assert.equal(options?.around, undefined, 'its sandbox need not stay for files');
  });

  it('puts files there and fetches others', async (t) => {
    const opened = await door(t);
    opened.script = (_request, workspace) => {
      workspace.write('out/b.txt', `${String(workspace.read('in/a.txt'))}!`);
      workspace.link('link');
      return {};
    };
    const { body } = await runCode(opened, {
      files: { 'in/a.txt': `${base64('hello')}\n`, nothing: null },
      fetch_files: ['./out/b.txt', 'missing.txt', 'link'],
    });
    assert.deepEqual(body.files, { './out/b.txt': base64('hello!') });
    assert.match((body.run_result as { stderr: string }).stderr, /^Files that are not kept: link \(/);
  });

  it('has a program beside a file that is called as ours are', async (t) => {
    const opened = await door(t);
    opened.script = ({ code }, workspace) => {
      const [program = '', held = ''] = workspace.paths().toSorted((one, other) => other.length - one.length);
      assert.deepEqual([workspace.read(program), workspace.read(held)], ['import main', 'x = 1']);
      assert.ok(
        code.includes(`os.replace("${held}", "main.py")`) && code.includes(`"--", "${program}"`),
        code,
      );
      return {};
    };
    const { body } = await runCode(opened, { code: 'import main', files: { 'main.py': base64('x = 1') } });
    assert.equal(body.status, 'Success');
  });

  it('takes no time for a run that is over at once', async (t) => {
    const opened = await door(t);
    for (const run_timeout of [0, -1]) await runCode(opened, { run_timeout });
    assert.deepEqual(
      opened.runs.map(({ request }) => request.timeout_seconds),
      [0.001, 0.001],
    );
  });

  it('says that it lives', async (t) => {
    const response = await (await door(t)).ask('/v1/ping');
    assert.deepEqual([response.status, await response.json()], [200, 'pong']);
  });

  for (const [name, changes, status, command] of [
    ['a failure', { status: 'failed', exit_code: 1 }, 'Failed', 'Finished'],
    ['a time-out', { status: 'timed_out', exit_code: null }, 'Failed', 'TimeLimitExceeded'],
    ['a lost sandbox', { status: 'node_lost', exit_code: null, message: 'Lost.' }, 'SandboxError', 'Error'],
  ] as const) {
    it(`tells of ${name}`, async (t) => {
      const opened = await door(t);
      opened.script = () => changes;
      const { body } = await runCode(opened, {});
      assert.deepEqual([body.status, (body.run_result as { status: string }).status], [status, command]);
    });
  }

  for (const [name, body, message] of [
    ['a language that cannot run', { language: 'pytest' }, /^This server cannot run "pytest"\./],
    ['another language without Piston', { language: 'cpp' }, /^This server runs Python alone/],
    ['a path that leads out', { files: { '../a': '' } }, /^"\.\.\/a" is no path of a file/],
    ['a file that is no base64', { files: { a: 'a,b\n1,2' } }, /^"a": character 2 of the content/],
    ['a file whose base64 breaks off', { files: { a: 'YWJ' } }, /^"a": the base64 is 3 characters long/],
    ['a file to fetch from elsewhere', { fetch_files: ['/etc/passwd'] }, /^"\/etc\/passwd" is no path/],
    [
      'files that are too large',
      { files: { a: base64('x'.repeat(101)) } },
      /^The files are 101 bytes together/,
    ],
  ] as const) {
    it(`has a fault of the sandbox for ${name}`, async (t) => {
      const opened = await door(t, { settings: { inputBytes: 100 } });
      const { status, body: answer } = await runCode(opened, body);
      assert.deepEqual([status, answer.status, answer.run_result], [200, 'SandboxError', null]);
      assert.match(String(answer.message), message);
      assert.equal(opened.runs.length, 0);
    });
  }

  for (const [name, error, status, wait] of [
    [
      'after which clients try again',
      new ServiceError('queue_full', 'Full.', { retryAfterSeconds: 2.5 }),
      504,
      '3',
    ],
    ['of which it is not known how long it lasts', new ServiceError('quota_exceeded', 'None.'), 504, null],
    ['that is final', new ServiceError('forbidden', 'No.'), 200, null],
  ] as const) {
    it(`has a fault of the sandbox where the service fails, ${name}`, async (t) => {
      const opened = await door(t);
      opened.script = () => {
        throw error;
      };
      const answer = await opened.post('/run_code', { code: 'x', language: 'python' });
      assert.deepEqual([answer.status, answer.headers.get('retry-after')], [status, wait]);
      assert.equal((answer.body as { status: string }).status, 'SandboxError');
    });
  }

  it('runs other languages on a Piston', async (t) => {
    const stage = {
      signal: null,
      stdout: 'hi',
      stderr: '',
      code: 0,
      output: 'hi',
      memory: null,
      message: null,
      status: null,
      cpu_time: 1,
      wall_time: 20,
    };
    const piston: Partial<Piston> = {
      runtimes: () => Promise.resolve([{ language: 'c++', version: '10.2.0', aliases: ['cpp'] }]),
      executeWithinLimits: (sent) =>
        Promise.resolve({
          sent,
          outcome: { answer: { compile: stage, run: stage, language: 'c++', version: '10.2.0' } },
        }),
    };
    const opened = await door(t, { piston: piston as Piston });
    const { body } = await runCode(opened, { language: 'cpp' });
    assert.equal(body.status, 'Success');
    assert.equal((body.compile_result as { execution_time: number }).execution_time, 0.02);
    assert.equal((body.run_result as { stdout: string }).stdout, 'hi');
    assert.equal(opened.runs.length, 0);
  });

  for (const [name, body, type, loc] of [
    ['no code', { code: undefined }, 'missing', ['body', 'code']],
    ['a language that nobody knows', { language: 'klingon' }, 'literal_error', ['body', 'language']],
    ['a time that is none', { run_timeout: 'soon' }, 'float_parsing', ['body', 'run_timeout']],
    ['content that is none', { files: { a: 1 } }, 'string_type', ['body', 'files', 'a']],
  ] as const) {
    it(`refuses ${name}`, async (t) => {
      const opened = await door(t);
      const answer = await runCode(opened, body);
      const [detail] = answer.body.detail as { type: string; loc: unknown }[];
      assert.deepEqual([answer.status, detail?.type, detail?.loc], [422, type, loc]);
    });
  }

  it('refuses a body that is too large or no body at all', async (t) => {
    const opened = await door(t, { settings: { maxCodeBytes: 1, maxStdinBytes: 1, inputBytes: 1 } });
    const large = await opened.post('/run_code', { code: 'x'.repeat(2_000_000), language: 'python' });
    assert.equal(large.status, 413);
    const packed = await opened.post('/run_code', {}, { 'content-encoding': 'gzip' });
    assert.equal(packed.status, 400);
  });

  it('knows its callers', async (t) => {
    const opened = await door(t, { settings: { callerHeader: 'x-user' } });
    assert.equal((await runCode(opened, {})).status, 401);
    await opened.post('/run_code', { code: '', language: 'python' }, { 'x-user': 'ada' });
    assert.equal(opened.runs[0]?.options.caller, 'ada');
  });

  it('has no other paths', async (t) => {
    const opened = await door(t);
    const answers = [await opened.ask('/'), await opened.ask('/run_code')];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 405],
    );
  });
});
