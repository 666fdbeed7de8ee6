/** A session keeps what it should from run to run, loses what it must, and says which. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type Caller, ToolError } from './harness/clients.ts';
import { jobs, ofReplica } from './harness/cluster.ts';
import { withServer } from './harness/fixture.ts';
import { createSession, fetchAs, session } from './harness/sessions.ts';
import { backends, startServer, type Server } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';
import { until } from './harness/until.ts';

const refusedAs = (code: string) => (error: unknown) => error instanceof ToolError && error.code === code;

/** How code ends, and whether its interpreter goes on. */
const endings: [what: string, code: string, status: string, exitCode: number | null, kept: boolean][] = [
  ['an exception', '1 / 0', 'failed', 1, true],
  ['sys.exit', 'import sys; sys.exit(3)', 'failed', 3, true],
  ['sys.exit without a code', 'raise SystemExit', 'succeeded', 0, true],
  ['what is no Python', 'def', 'failed', 1, true],
  ['os._exit', 'import os; os._exit(4)', 'failed', 4, false],
  ['a signal', 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)', 'failed', null, false],
  ['its time limit', 'while True: pass', 'timed_out', null, false],
];

for (const backend of backends) {
  describe(`sessions: ${backend}`, { concurrency: 2 }, () => {
    let server: Server;
    let caller: Caller;
    const undo = openUndo();
    before(async () => {
      server = await startServer(backend);
      undo.add(() => server.stop());
      caller = await connect('v2 modern', server.mcpUrl);
      undo.add(() => caller.close());
    });
    after(() => undo.run());

    it('one survives a hundred runs, with variables, imports, files and working directory', async () => {
      const here = await createSession(caller);
      const first = await here.run(`import json, os
n, seen = 0, []
os.makedirs('work')
os.chdir('work')
open('/workspace/output/first.txt', 'w').write('first')`);
      assert.equal(first.status, 'succeeded', first.stderr);
      for (let turn = 1; turn <= 100; turn += 1) {
        const { status, stdout, stderr, value } = await here.run(`n += 1
seen.append(n)
with open('log.txt', 'a') as log: print(n, file=log)
print(os.getcwd(), json.dumps({'n': n}))
sum(seen)`);
        assert.deepEqual(
          [status, stdout, stderr, value?.text],
          ['succeeded', `/workspace/work {"n": ${turn}}\n`, '', String((turn * (turn + 1)) / 2)],
        );
      }
      const { content } = await here.read('work/log.txt');
      assert.equal(content, Array.from({ length: 100 }, (_, n) => `${n + 1}\n`).join(''));
      // What the first run left behind is still there, and no later run has it among its own.
      const [artifact] = first.artifacts;
      assert.equal((await caller.read(`artifact://${artifact?.id}`)).text, 'first');
      assert.deepEqual((await here.run('n')).artifacts, []);
      await here.end();
      await assert.rejects(here.run('n'), refusedAs('session_ended'));
    });

    it('what an end takes with it is told, and all else is kept', async () => {
      const here = await createSession(caller);
      await here.write('data/in.txt', 'here');
      for (const [what, code, status, exitCode, kept] of endings) {
        await here.run('variable = 1');
        const timeout_seconds = status === 'timed_out' ? 2 : 30;
        const result = await here.run(`print('said')\n${code}`, { timeout_seconds });
        const isSyntax = code === 'def';
        assert.deepEqual(
          [result.status, result.exit_code, result.stdout],
          [status, exitCode, isSyntax ? '' : 'said\n'],
          what,
        );
        const told = [result.message, ...result.hints].join(' ');
        assert.equal(told.includes('variables') && told.includes('files'), !kept, `${what}: ${told}`);
        const next = await here.run(`print('variable' in globals(), open('/workspace/data/in.txt').read())`);
        assert.equal(next.stdout, `${kept ? 'True' : 'False'} here\n`, what);
      }
      await here.end();
    });

    it('a fresh interpreter sees the files, and starts over', async () => {
      const here = await createSession(caller);
      const code = `print('x' in globals(), open('a.txt').read(), __name__)`;
      await here.run(`x = 1\nopen('a.txt', 'w').write('a')`);
      const fresh = () => here.run(code, { fresh_interpreter: true });
      const [first, second, after] = [await fresh(), await fresh(), await here.run(code)];
      for (const { stdout } of [first, second, after]) assert.equal(stdout, 'False a __main__\n');
      assert.match(first.message, /variables are gone/);
      for (const { message } of [second, after]) assert.equal(message, 'The code ran to its end.');
      await here.end();
    });

    it('runs are done one after another', async () => {
      const here = await createSession(caller);
      await here.run('log = []');
      await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          here.run(`import time\nlog.append(${n})\ntime.sleep(0.05)\nlog.append(${n})`),
        ),
      );
      const { stdout } = await here.run('print(log[::2] == log[1::2], sorted(set(log)), len(log))');
      assert.equal(stdout, 'True [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] 20\n');
      await here.end();
    });

    it('they wait in the order in which they came', async () => {
      const here = await createSession(caller);
      await here.run('log = []');
      const running: Promise<unknown>[] = [];
      for (let n = 0; n < 6; n += 1) {
        const queued = Promise.withResolvers<undefined>();
        const onProgress = () => {
          queued.resolve(undefined);
        };
        running.push(here.run(`import time\ntime.sleep(0.3)\nlog.append(${n})`, {}, { onProgress }));
        await queued.promise;
      }
      await Promise.all(running);
      assert.equal((await here.run('print(log)')).stdout, '[0, 1, 2, 3, 4, 5]\n');
      await here.end();
    });

    it('files go in and out, and links lead nowhere', async () => {
      const here = await createSession(caller);
      await here.write('data/ä.txt', 'text\n');
      const png = Buffer.from('\x89PNG\r\n\x1a\n\xff', 'latin1').toString('base64');
      const request = { session_id: here.id, path: 'p.png', content_base64: png };
      await caller.tool('write_file', request);
      const { stdout } = await here.run(`import os
print(open('data/ä.txt').read(), end='')
os.symlink('/proc/1', 'out')
os.symlink('/etc/passwd', 'passwd')
os.mkfifo('pipe')
len(open('p.png', 'rb').read())`);
      assert.equal(stdout, 'text\n');
      const { entries } = await here.list('', true);
      assert.deepEqual(
        entries.map(({ path, kind }) => `${path} ${kind}`),
        [
          'data folder',
          'data/ä.txt file',
          'mounts folder',
          'out other',
          'output folder',
          'p.png file',
          'passwd other',
          'pipe other',
        ],
      );
      assert.equal((await here.read('p.png')).content_base64, png);
      for (const path of ['out/environ', 'passwd', 'pipe', 'data'])
        await assert.rejects(here.read(path), refusedAs('file_unusable'), path);
      await assert.rejects(here.read('none'), refusedAs('file_not_found'));
      await assert.rejects(here.write('out/x', 'x'), refusedAs('file_unusable'));
      await assert.rejects(here.list('none'), refusedAs('file_not_found'));
      await assert.rejects(here.write('../x', 'x'), /relative to the workspace/);
      await here.end();
    });

    it('a cancelled run takes the variables with it, and nothing else', async () => {
      const here = await createSession(caller);
      await here.run(`x = 1\nopen('a.txt', 'w').write('a')`);
      const stop = new AbortController();
      const onProgress = (message: string) => {
        if (message.endsWith(': before')) stop.abort();
      };
      const code = `import time\nprint('before')\ntime.sleep(60)`;
      await assert.rejects(here.run(code, {}, { signal: stop.signal, onProgress }));
      const next = await here.run(`print('x' in globals(), open('a.txt').read())`);
      assert.equal(next.stdout, 'False a\n');
      await here.end();
    });

    it('one that is asked for by nobody’s name is not there', async () => {
      const unknown = session(caller, `ses_${'a'.repeat(26)}`);
      await assert.rejects(unknown.run('1'), refusedAs('not_found'));
      await assert.rejects(unknown.list(), refusedAs('not_found'));
      await assert.rejects(unknown.end(), refusedAs('not_found'));
    });
  });

  describe(`twenty sessions: ${backend}`, () => {
    it('idle out, say so, and leave nothing', { timeout: 300_000 }, async () => {
      const settings = {
        VIVARIUM_CALLER_HEADER: 'x-user',
        VIVARIUM_SESSIONS_PER_CALLER: '20',
        VIVARIUM_RETENTION_SECONDS: '30',
        VIVARIUM_CONCURRENCY: '20',
      };
      const test = async (caller: Caller, server: Server) => {
        const create = () =>
          createSession(caller, { idle_seconds: 30, limits: { cpu: 0.05, memory_mb: 64 } });
        const all = await Promise.all(Array.from({ length: 20 }, create));
        await assert.rejects(create(), refusedAs('too_many_sessions'));
        const [one] = all;
        assert.ok(one);
        // Asking is use, so this one looks from outside: it asks once all others have ended.
        const ended = () => server.log.filter(({ msg }) => msg === 'session').length;
        await until('all have been idle for too long', () => ended() >= 20, 90);
        await assert.rejects(one.run('1'), (error: Error) => error.message.includes('idle time'));
        if (backend === 'kubernetes') {
          await until(
            'no Job of the server is left',
            async () => (await jobs(ofReplica(server.replica))).length === 0,
            90,
          );
        }
        const again = await create();
        assert.equal((await again.run('print(1)')).stdout, '1\n');
      };
      await withServer(backend, settings, test, { fetch: fetchAs('x-user', 'twenty') });
    });
  });
}

describe('a session that runs out of memory: kubernetes', () => {
  it('keeps its files', () =>
    withServer('kubernetes', {}, async (caller) => {
      const here = await createSession(caller);
      await here.run(`x = 1\nopen('a.txt', 'w').write('a')`);
      const result = await here.run(`b = bytearray(1 << 30)\nb[::4096] = b'x' * len(b[::4096])`);
      assert.equal(result.status, 'out_of_memory', result.message);
      assert.match(result.message, /variables/);
      assert.equal((await here.run(`print('x' in globals(), open('a.txt').read())`)).stdout, 'False a\n');
    }));
});
