/** SandboxFusion's SDK. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SandboxError, sandboxFusion, type CommandRan } from './dialects/sandbox-fusion.ts';
import { startServer, type Server } from './harness/server.ts';

const base64 = (text: string | number[]) => Buffer.from(text as string).toString('base64');
const languages =
  'python cpp nodejs go go_test java php csharp bash typescript sql rust cuda lua R perl D_ut ruby scala julia pytest junit kotlin_script jest verilog python_gpu lean swift racket'.split(
    ' ',
  );

/** A command's result without its time, which is a number. */
function timeless(ran: CommandRan | null) {
  const { execution_time, ...told } = ran ?? assert.fail('There is no result.');
  assert.ok(typeof execution_time === 'number' && execution_time >= 0, String(execution_time));
  return told;
}

describe('SandboxFusion: kubernetes', { concurrency: 3 }, () => {
  let server: Server;
  let endpoint = '';
  before(async () => {
    server = await startServer('kubernetes', { VIVARIUM_DIALECTS: 'sandbox-fusion:0' });
    endpoint = String(server.dialects['sandbox-fusion']);
  });
  after(() => server.stop());
  const limits = { memory_limit_MB: 128 };

  it('runs Python with its stdin and files, and fetches what it left', async () => {
    const { run_result, ...told } = await sandboxFusion(endpoint).run({
      ...limits,
      code: `import sys
open('out/made.bin', 'wb').write(open('out/in.bin', 'rb').read() + input().encode())
print('done')
sys.stderr.write('e')`,
      stdin: 'text',
      files: { 'out/in.bin': base64([0, 255]), 'none.txt': null },
      fetch_files: ['out/made.bin', 'out/missing', './out/in.bin'],
    });
    assert.deepEqual(timeless(run_result), {
      status: 'Finished',
      return_code: 0,
      stdout: 'done\n',
      stderr: 'e',
    });
    assert.deepEqual(told, {
      status: 'Success',
      message: '',
      compile_result: null,
      executor_pod_name: null,
      files: {
        'out/made.bin': base64([0, 255, ...Buffer.from('text')]),
        './out/in.bin': base64([0, 255]),
      },
    });
  });

  const endings: [name: string, code: string, return_code: number, stderr: RegExp][] = [
    ['another code', 'import sys\nsys.exit(3)', 3, /^$/],
    ['an exception', '1 / 0', 1, /ZeroDivisionError: division by zero\n$/],
    ['a signal', 'import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)', -11, /^/],
    ['too little memory', 'x = bytearray(1 << 30)', -9, /memory/],
  ];
  for (const [name, code, return_code, stderr] of endings) {
    it(`${name} is Failed`, async () => {
      const { status, message, run_result } = await sandboxFusion(endpoint).run({ ...limits, code });
      assert.deepEqual([status, message], ['Failed', '']);
      assert.deepEqual([run_result?.status, run_result?.return_code], ['Finished', return_code]);
      assert.match(run_result?.stderr ?? '', stderr);
    });
  }

  it('a run whose time is over has no code, and keeps what it wrote', async () => {
    const { status, message, run_result } = await sandboxFusion(endpoint).run({
      ...limits,
      code: 'print("a", flush=True)\nimport time\ntime.sleep(60)',
      run_timeout: 2,
    });
    assert.deepEqual([status, message], ['Failed', '']);
    const { status: ending, return_code, stdout } = timeless(run_result);
    assert.deepEqual([ending, return_code, stdout], ['TimeLimitExceeded', null, 'a\n']);
  });

  it('a body of the least is enough', async () => {
    const { status, body } = await sandboxFusion(endpoint).post<{ status: string }>({
      code: 'print(1)',
      language: 'python',
    });
    assert.deepEqual([status, body.status], [200, 'Success']);
  });

  const impossible: [name: string, request: object][] = [
    ['a language that nobody has installed', { language: 'bash' }],
    ['a language that needs tools', { language: 'pytest' }],
    ['a file beside the working directory', { files: { '../a': '' } }],
    ['a file of another place', { files: { '/etc/a': '' } }],
    ['a file to fetch from another place', { fetch_files: ['/etc/passwd'] }],
  ];
  for (const [name, request] of impossible) {
    it(`${name} is an error of the sandbox, which the SDK throws`, async () => {
      await assert.rejects(
        sandboxFusion(endpoint).run({ ...limits, code: 'secret = 1', ...request }),
        (error) => error instanceof SandboxError && error.message !== '' && !error.message.includes('secret'),
      );
    });
  }

  const code = '';
  const list = languages.map((name) => `'${name}'`);
  const expected = `${list.slice(0, -1).join(', ')} or ${String(list.at(-1))}`;
  const bad: [name: string, body: object, detail: object[]][] = [
    [
      'nothing',
      {},
      ['code', 'language'].map((name) => ({
        type: 'missing',
        loc: ['body', name],
        msg: 'Field required',
        input: {},
      })),
    ],
    [
      'a language that is none',
      { code, language: 'cobol' },
      [
        {
          type: 'literal_error',
          loc: ['body', 'language'],
          msg: `Input should be ${expected}`,
          input: 'cobol',
          ctx: { expected },
        },
      ],
    ],
    [
      'a file of numbers',
      { code, language: 'python', files: { a: 1 } },
      [{ type: 'string_type', loc: ['body', 'files', 'a'], msg: 'Input should be a valid string', input: 1 }],
    ],
    [
      'time that is text',
      { code, language: 'python', run_timeout: 'long' },
      [
        {
          type: 'float_parsing',
          loc: ['body', 'run_timeout'],
          msg: 'Input should be a valid number, unable to parse string as a number',
          input: 'long',
        },
      ],
    ],
  ];
  for (const [name, body, detail] of bad) {
    it(`422: ${name}`, async () => {
      const answer = await sandboxFusion(endpoint).post(body);
      assert.deepEqual([answer.status, answer.body], [422, { detail }]);
    });
  }
});
