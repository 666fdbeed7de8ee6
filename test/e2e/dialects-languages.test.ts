/** Other languages than Python for the clients of LibreChat and SandboxFusion, on a Piston. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startPiston } from '../piston/server.ts';
import { libreChat, newer } from './dialects/librechat.ts';
import { sandboxFusion } from './dialects/sandbox-fusion.ts';
import { startServer, type Server } from './harness/server.ts';

describe('other languages in the words of other systems: kubernetes', { concurrency: 2 }, async () => {
  const piston = await startPiston();
  after(() => piston.close());
  let server: Server | undefined;
  let endpoint = '';
  let base = '';
  before(async () => {
    server = await startServer('kubernetes', {
      VIVARIUM_DIALECTS: 'librechat:0,sandbox-fusion:0',
      VIVARIUM_PISTON_URL: piston.url,
    });
    endpoint = String(server.dialects['sandbox-fusion']);
    base = String(server.dialects.librechat);
  });
  after(() => server?.stop());
  const client = () => libreChat(base, { 'X-API-Key': 'secret' });

  it('LibreChat: bash with arguments', async () => {
    const { stdout, stderr, code } = await client().run('bash', 'echo "$1"; echo e >&2; exit 3', {
      args: ['two words'],
    });
    assert.deepEqual([stdout, stderr, code], ['two words\n', 'e\n', 3]);
  });

  it('LibreChat: a file of its own is there by its name', async () => {
    const files = await client().upload([['notes/a b.txt', 'content']]);
    const { stdout } = await client().run('bash', "cat 'notes/a b.txt'", { files: files.map(newer) });
    assert.equal(stdout, 'content\n');
  });

  it('LibreChat: C++ is compiled, and says why where it does not', async () => {
    const good = await client().run('cpp', '#include <iostream>\nint main(){std::cout << "c";return 4;}');
    assert.deepEqual([good.stdout, good.code], ['c\n', 4]);
    const bad = await client().run('cpp', 'int main(){return x;}');
    assert.deepEqual([bad.stdout, bad.code === 0], ['', false]);
    assert.match(bad.stderr, /'x' was not declared/);
  });

  it('LibreChat: a language that Piston has not is unsupported', async () => {
    const { status, body } = await client().exec({ lang: 'rs', code: '' });
    assert.deepEqual([status, body.error], [400, 'Unsupported language: rs']);
  });

  it('SandboxFusion: a compiled program has two results', async () => {
    const { status, compile_result, run_result } = await sandboxFusion(endpoint).run({
      code: '#include <iostream>\nint main(){int a;std::cin >> a;std::cout << a + 1;}',
      language: 'cpp',
      stdin: '41',
    });
    assert.equal(status, 'Success');
    assert.deepEqual([compile_result?.status, compile_result?.return_code], ['Finished', 0]);
    assert.deepEqual([run_result?.return_code, run_result?.stdout], [0, '42']);
  });

  it('SandboxFusion: what does not compile is not run', async () => {
    const { status, message, compile_result, run_result } = await sandboxFusion(endpoint).run({
      code: 'int main(){return x;}',
      language: 'cpp',
    });
    assert.deepEqual([status, message, run_result], ['Failed', '', null]);
    assert.deepEqual([compile_result?.status, compile_result?.return_code], ['Finished', 1]);
    assert.match(compile_result?.stderr ?? '', /'x' was not declared/);
  });

  it('SandboxFusion: bash with a file', async () => {
    const { status, compile_result, run_result } = await sandboxFusion(endpoint).run({
      code: 'cat in/a.txt; exit 5',
      language: 'bash',
      files: { 'in/a.txt': Buffer.from('a').toString('base64') },
    });
    assert.deepEqual([status, compile_result], ['Failed', null]);
    assert.deepEqual([run_result?.status, run_result?.return_code, run_result?.stdout], ['Finished', 5, 'a']);
  });

  it('SandboxFusion: bash whose time is over', async () => {
    const { status, run_result } = await sandboxFusion(endpoint).run({
      code: 'sleep 20',
      language: 'bash',
      run_timeout: 0.5,
    });
    assert.deepEqual(
      [status, run_result?.status, run_result?.return_code],
      ['Failed', 'TimeLimitExceeded', null],
    );
  });
});
