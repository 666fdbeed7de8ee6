/** The command line: `vivarium run` is the program's own stand-in, `vivarium doctor` says what is missing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { jobs } from './harness/cluster.ts';
import { command, end, root } from './harness/command.ts';
import { marked, newMark, processesOf } from './harness/marks.ts';
import { backends, environment, type BackendName, type Settings } from './harness/server.ts';
import { until } from './harness/until.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vivarium-e2e-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function file(code: string): Promise<string> {
  const path = join(folder, `${newMark()}.py`);
  await writeFile(path, code);
  return path;
}

async function vivarium(backend: BackendName, args: string[], input = '', settings: Settings = {}) {
  const env = environment(backend, settings);
  return command(process.execPath, ['src/main.ts', ...args], { env, input });
}

const ends = [
  { name: 'success', code: 'print("fine")', exit: 0, stdout: 'fine\n', stderr: /^$/ },
  { name: 'an exit code', code: 'raise SystemExit(42)', exit: 42, stdout: '', stderr: /with code 42/ },
  {
    name: 'a signal',
    code: 'import ctypes; ctypes.string_at(0)',
    exit: 139,
    stdout: '',
    stderr: /SIGSEGV, an invalid memory access/,
  },
  {
    name: 'a time-out',
    code: 'print("begun"); import time; time.sleep(100)',
    exit: 124,
    stdout: 'begun\n',
    stderr: /stopped after its limit of 3 s/,
  },
  {
    name: 'an exception',
    code: 'raise KeyError("no")',
    exit: 1,
    stdout: '',
    stderr: /File "\/workspace\/main\.py", line 1, in <module>[^]*KeyError: 'no'/,
  },
];

for (const backend of backends) {
  describe(`the command: ${backend}`, { concurrency: 2 }, () => {
    for (const { name, code, exit, stdout, stderr } of ends) {
      it(`run: ${name}`, async () => {
        const ended = await vivarium(backend, ['run', await file(code)], '', {
          VIVARIUM_DEFAULT_TIMEOUT_SECONDS: name === 'a time-out' ? '3' : '30',
        });
        assert.deepEqual([ended.code, ended.stdout], [exit, stdout]);
        assert.match(ended.stderr, stderr);
      });
    }

    it('run: stdin, arguments, and bytes that are no text', async () => {
      const code =
        'import sys\nprint(sys.argv[1:], sys.stdin.read())\nsys.stderr.buffer.write(b"\\xc3\\x28")';
      const ended = await vivarium(backend, ['run', await file(code), '--flag', 'a b'], 'over the pipe');
      assert.deepEqual([ended.code, ended.stdout], [0, "['--flag', 'a b'] over the pipe\n"]);
      assert.equal(ended.stderr, '\ufffd(');
    });

    it('run: files go in, and what it leaves behind comes out', async () => {
      const source = join(folder, `${newMark()}.csv`);
      const out = join(folder, newMark());
      await writeFile(source, 'a,b');
      const path = await file(
        'text = open("mounts/in/x.csv").read()\nopen("output/y.csv", "w").write(text * 2)\ntext',
      );
      const options = ['--file', `in/x.csv=${source}`, '--output', out];
      const ended = await vivarium(backend, ['run', ...options, path], '', {
        VIVARIUM_ARTIFACT_STORE: join(folder, 'store'),
      });
      assert.deepEqual([ended.code, ended.stdout], [0, ''], ended.stderr);
      assert.equal(await readFile(join(out, 'y.csv'), 'utf8'), 'a,ba,b');
      assert.match(
        ended.stderr,
        /^vivarium: value: 'a,b'\nvivarium: y\.csv \(6 bytes, text\/csv\): .*y\.csv\n/,
      );
    });

    it('run: output comes while the program runs, and Ctrl-C ends it', async () => {
      const mark = newMark();
      const path = await file(marked(mark, 'print("live", end="")\nimport time; time.sleep(100)'));
      const env = environment(backend, { VIVARIUM_REPLICA_NAME: mark });
      const child = spawn(process.execPath, ['src/main.ts', 'run', path], {
        cwd: root,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      try {
        const closed = once(child, 'close');
        const stderr = text(child.stderr);
        const [chunk] = (await Promise.race([once(child.stdout, 'data'), closed])) as [Buffer];
        assert.equal(String(chunk), 'live');
        child.kill('SIGINT');
        assert.deepEqual(await closed, [130, null]);
        assert.match(await stderr, /cancelled/);
      } finally {
        await end(child, 10);
      }
      await until('nothing is left', () => processesOf(mark).length === 0, 5);
      if (backend === 'kubernetes') {
        await until(
          'no Job is left',
          async () => (await jobs({ 'vivarium.dev/replica': mark })).length === 0,
          5,
        );
      }
    });

    it('run: a file that is not there', async () => {
      const ended = await vivarium(backend, ['run', join(folder, 'none.py')]);
      assert.deepEqual([ended.code, ended.stdout], [1, '']);
      assert.match(ended.stderr, /none\.py cannot be read/);
    });

    it('doctor: all is well', async () => {
      const ended = await vivarium(backend, ['doctor']);
      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
      const lines = ended.stdout.trimEnd().split('\n');
      assert.ok(lines.slice(0, -1).every((line) => line.startsWith('ok ')) && lines.length > 2, ended.stdout);
      assert.equal(lines.at(-1), 'All is well.');
    });
  });
}

describe('the command: what is wrong', { concurrency: 2 }, () => {
  it('doctor: a namespace in which the account may do nothing, and what mends that', async () => {
    const ended = await vivarium('kubernetes', ['doctor'], '', { VIVARIUM_NAMESPACE: 'default' });
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /^missing {2}account: may not create jobs\.batch in default /m);
    assert.match(
      ended.stdout,
      /^ +-> kubectl create role .+ -n default --verb=create --resource=jobs\.batch/m,
    );
  });

  it('serve: refuses to start without its rules, and names them', async () => {
    const ended = await vivarium('kubernetes', ['serve'], '', { VIVARIUM_NAMESPACE: 'default' });
    assert.equal(ended.code, 1);
    assert.match(
      ended.stderr,
      /lacks rules in namespace default:\n(?:.*\n)* {2}create jobs\.batch \(a run or a session is a Job/,
    );
  });

  it('doctor: a cluster that does not answer', async () => {
    const path = join(folder, 'nowhere');
    const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:9' } };
    const context = { name: 'c', context: { cluster: 'c', user: 'u' } };
    const users = [{ name: 'u', user: { token: 't' } }];
    await writeFile(
      path,
      JSON.stringify({ clusters: [cluster], contexts: [context], users, 'current-context': 'c' }),
    );
    const ended = await vivarium('kubernetes', ['doctor'], '', { KUBECONFIG: path });
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /^missing {2}cluster: .*does not answer.*\n +-> make cluster/m);
  });

  it('a setting that is none is named', async () => {
    const ended = await vivarium('local', ['serve'], '', { VIVARIUM_TIMEOUT: '3', VIVARIUM_PORT: '0' });
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /wrong settings\nVIVARIUM_TIMEOUT: no such setting/);
  });
});
