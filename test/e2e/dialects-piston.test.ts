/** Clients of Piston find here what a real Piston answered: request by request, but for what cases/piston.ts names. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, compare, recorded, servers, type Recorded } from '../piston/replay.ts';
import { startPiston, type StandIn } from '../piston/server.ts';
import { deviations } from './cases/piston.ts';
import { drained } from './harness/programs.ts';
import { backends, startServer, type BackendName, type Server, type Settings } from './harness/server.ts';

type Answer = Awaited<ReturnType<typeof ask>>;

const dialect = { VIVARIUM_DIALECTS: 'piston:0', VIVARIUM_PISTON_PACKAGES: 'true' };

/** A server whose Piston is a stand-in, for the tests of one `describe`. */
function usePiston(
  backend: BackendName,
  settings: Settings,
  options: Parameters<typeof startPiston>[0] = {},
) {
  const used: { standIn?: StandIn; server?: Server; python?: string } = {};
  before(async () => {
    used.standIn = await startPiston(options);
    used.server = await startServer(backend, {
      ...dialect,
      VIVARIUM_PISTON_URL: used.standIn.url,
      ...settings,
    });
    const runtimes = (await (
      await fetch(`${String(used.server.dialects.piston)}/api/v2/runtimes`)
    ).json()) as {
      version: string;
    }[];
    used.python = runtimes[0]?.version ?? '';
  });
  after(async () => {
    await used.server?.stop();
    await used.standIn?.close();
  });
  return {
    get url() {
      return String(used.server?.dialects.piston);
    },
    get standIn() {
      if (!used.standIn) throw new Error('The stand-in has not started.');
      return used.standIn;
    },
    /** The version of the Python of its sandboxes. */
    get python() {
      return String(used.python);
    },
  };
}

/** An answer in which the Python of the sandboxes, where its version was not asked for, goes by the one of the transcript. */
function asRecorded({ body, ...rest }: Answer, python: string): Answer {
  if (body === null) return { ...rest, body };
  const versions = body
    .replace(new RegExp(`{"language":"python","(language_)?version":"${python}"[^}]*},`), '')
    .replace(`"language":"python","version":"${python}"`, '"language":"python","version":"3.10.0"');
  return { ...rest, body: sorted(versions).replaceAll(/"(memory|cpu_time)":null/g, '"$1":0') };
}

/** What was recorded, with the places and the words of bash as they are here. */
function asHere({ response, ...rest }: Recorded): Recorded {
  const isAlone = /"files":\[{"content":(?:[^{}]|{[^{}]*})*\]/.test(rest.request.body ?? '');
  const body =
    response.body &&
    sorted(response.body)
      .replaceAll('/box/submission/', '/workspace/')
      .replaceAll(isAlone ? '/workspace/file0.code' : ' ', isAlone ? '/workspace/main.py' : ' ')
      .replaceAll(
        /\/piston\/packages\/python\/3\.10\.0\/run: line \d+: +\d+ (.*?) +python3\.10 \\"\$@\\"/g,
        '$1',
      );
  return { ...rest, response: { ...response, body } };
}

/** Lists of runtimes and packages by language. */
function sorted(body: string): string {
  if (!body.startsWith('[')) return body;
  const list = JSON.parse(body) as { language: string }[];
  return JSON.stringify(list.sort((one, other) => one.language.localeCompare(other.language)));
}

describe('the deviations from Piston', () => {
  it('are of what is recorded', () => {
    const names = new Set(recorded.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(deviations).filter((name) => !names.has(name)),
      [],
    );
  });
});

describe('the transcript of Piston', () => {
  const here = usePiston('local', {
    VIVARIUM_MAX_TIMEOUT_SECONDS: '3',
    VIVARIUM_DEFAULT_TIMEOUT_SECONDS: '3',
  });

  for (const each of recorded.filter(({ server }) => server === 'default')) {
    it(each.name, async () => {
      const answer = await ask(here.url, each);
      const deviation = deviations[each.name];
      if (deviation) {
        assert.equal(answer.status, deviation.status, deviation.why);
        assert.match(String(answer.body), deviation.body);
        assert.equal(answer.type, deviation.type ?? 'application/json; charset=utf-8');
        return;
      }
      const { said, expected } = compare(asRecorded(answer, here.python), asHere(each), here.standIn);
      assert.deepEqual(said, expected);
    });
  }
});

describe('the transcript of a Piston with limits', () => {
  const here = usePiston('local', {}, servers.limits);

  for (const each of recorded.filter(
    ({ name, server }) => server === 'limits' && name.includes('override'),
  )) {
    it(each.name, async () => {
      const { said, expected } = compare(await ask(here.url, each), each, here.standIn);
      assert.deepEqual(said, expected);
    });
  }
});

interface Stage {
  run: { stdout: string; stderr: string; code: number | null; status: string | null; message: string | null };
  version: string;
}

async function execute(url: string, body: object): Promise<Stage> {
  const response = await fetch(`${url}/api/v2/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ language: 'python', version: '3.10.0', ...body }),
  });
  assert.equal(response.status, 200);
  return (await response.json()) as Stage;
}

for (const backend of backends) {
  describe(`the piston dialect: ${backend}`, () => {
    const here = usePiston(backend, {});

    it('runs a program of several files', async () => {
      const { run, version } = await execute(here.url, {
        files: [
          { name: 'data/a.bin', content: 'AP8Q', encoding: 'base64' },
          {
            name: 'app.py',
            content: 'import m, main, sys\nprint(m.x, main.y, sys.argv, open("data/a.bin", "rb").read())',
          },
          { name: 'm.py', content: 'x = 5' },
          { name: 'main.py', content: 'y = 6' },
        ],
        args: ['-x'],
      });
      assert.equal(run.stdout, "5 6 ['app.py', '-x'] b'\\x00\\xff\\x10'\n", run.stderr);
      assert.equal(version, '3.10.0');
    });

    it('answers Pistom, which takes what `run` has for output, where the public service was', async () => {
      const response = await fetch(`${here.url}/api/v2/piston/execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          language: 'python',
          version: '3.10.0',
          files: [{ content: 'print(1 + 1)\nraise SystemExit("no")' }],
        }),
      });
      const { run } = (await response.json()) as { run: { output: string } };
      assert.deepEqual([response.status, run.output], [200, '2\nno\n']);
    });

    it('tells of the end of a program as bash does', async () => {
      const { run } = await execute(here.url, {
        files: [{ name: 'a.py', content: 'import os\nprint(1)\nos.kill(os.getpid(), 11)' }],
      });
      assert.deepEqual(
        [run.stdout, run.stderr, run.code, run.status, run.message],
        ['1\n', 'Segmentation fault\n', 139, 'RE', 'Exited with error status 139'],
      );
    });

    it('ends a program that wants more memory than it may have', async () => {
      const { run } = await execute(here.url, {
        files: [{ content: 'print(len(bytearray(b"x" * 10) * 20_000_000))' }],
        run_memory_limit: 100_000_000,
      });
      assert.equal(run.status, 'RE');
      assert.match(run.stderr, backend === 'local' ? /MemoryError/ : /^Killed\n$/);
    });

    it('keeps the order of both streams', async () => {
      const content = `import sys
${drained}
for i in range(3):
  print("o", i)
  drained(1)
  print("e", i, file=sys.stderr)
  drained(2)`;
      const { run } = await execute(here.url, { files: [{ content }] });
      assert.equal((run as unknown as { output: string }).output, 'o 0\ne 0\no 1\ne 1\no 2\ne 2\n');
    });
  });
}
