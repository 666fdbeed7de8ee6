/** LibreChat with its code interpreter here. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { postJson } from './dialects/ask.ts';
import { libreChat, made, newer, older, type Refusal, type Stored } from './dialects/librechat.ts';
import { metric } from './harness/metrics.ts';
import { startServer, type Server } from './harness/server.ts';
import { until } from './harness/until.ts';

const small = { VIVARIUM_DIALECTS: 'librechat:0', VIVARIUM_DEFAULT_MEMORY_MB: '256' };
/** What LibreChat takes for an id of a session or a file. */
const id = /^[A-Za-z0-9_-]{21}$/;
const key = { 'X-API-Key': 'secret' };
const nowhere = { session_id: 's'.repeat(21), id: 'f'.repeat(21), name: 'a' };

describe('LibreChat: kubernetes', { concurrency: 3 }, () => {
  let server: Server;
  let base = '';
  before(async () => {
    server = await startServer('kubernetes', small);
    base = String(server.dialects.librechat);
  });
  after(() => server.stop());

  it('runs Python with arguments in /mnt/data', async () => {
    const code =
      'import sys, os\nprint(os.path.samefile(".", "/mnt/data"), sys.argv[1:])\nprint("e", file=sys.stderr)';
    const { session_id, wall_time, ...told } = await libreChat(base, key).run('py', code, {
      args: ['one', 'two words'],
    });
    assert.match(session_id, id);
    assert.ok(Number.isInteger(wall_time) && Number(wall_time) >= 0, String(wall_time));
    assert.deepEqual(told, {
      stdout: "True ['one', 'two words']\n",
      stderr: 'e\n',
      files: [],
      code: 0,
      signal: null,
      message: null,
      status: null,
    });
  });

  it('a failure is a result, and stdout ends in a newline', async () => {
    const { stdout, stderr, code, files } = await libreChat(base, key).run(
      'py',
      'print("no line", end="")\nraise ValueError("x")',
    );
    assert.deepEqual([stdout, code, files], ['no line\n', 1, []]);
    assert.match(stderr, /\nValueError: x\n$/);
  });

  it('files that a run leaves are downloaded by name, and go on to the next run', async () => {
    const client = libreChat(base, key);
    const first = await client.run(
      'py',
      `import os
os.makedirs('/mnt/data/plots')
open('/mnt/data/Übersicht 1.csv', 'w').write('a,b')
open('/mnt/data/plots/p.bin', 'wb').write(bytes([0, 255, 10]))`,
    );
    const files = made(first);
    assert.deepEqual(files.map(({ name }) => name).sort(), ['plots/p.bin', 'Übersicht 1.csv']);
    for (const file of files) assert.match(`${file.session_id} ${file.id}`, /^[\w-]{21} [\w-]{21}$/);
    const [plot, table] = files.toSorted((a, b) => (a.name < b.name ? -1 : 1)) as [Stored, Stored];
    const response = await client.download(table);
    assert.equal(response.status, 200);
    assert.match(
      response.headers.get('content-disposition') ?? '',
      /^attachment; .*filename\*=UTF-8''%C3%9Cbersicht%201\.csv/,
    );
    assert.equal(await response.text(), 'a,b');
    assert.deepEqual(
      Buffer.from(await (await client.download(plot)).arrayBuffer()),
      Buffer.from([0, 255, 10]),
    );
    const next = await client.run(
      'py',
      `print(open('/mnt/data/Übersicht 1.csv').read(), len(open('plots/p.bin', 'rb').read()))
open('/mnt/data/Übersicht 1.csv', 'a').write('!')`,
      { files: [older(table), newer(plot)] },
    );
    assert.deepEqual([next.stdout, next.stderr], ['a,b 3\n', '']);
    const [changed] = made(next).filter(({ name }) => name === table.name);
    assert.equal(await (await client.download(changed ?? nowhere)).text(), 'a,b!');
  });

  it('uploads go into a run under the names that it gives them', async () => {
    const client = libreChat(base, { Authorization: 'Bearer secret' });
    const files = await client.upload([
      ['data.csv', 'x'],
      ['skill/lib/__init__.py', 'y = 5'],
    ]);
    assert.deepEqual(
      files.map(({ name }) => name),
      ['data.csv', 'skill/lib/__init__.py'],
    );
    for (const file of files) assert.match(`${file.session_id} ${file.id}`, /^[\w-]{21} [\w-]{21}$/);
    const ran = await client.run(
      'py',
      'import sys\nsys.path.insert(0, "/mnt/data/skill")\nimport lib\nprint(open("data.csv").read(), lib.y)',
      { files: files.map(newer) },
    );
    assert.deepEqual([ran.stdout, ran.stderr], ['x 5\n', '']);
  });

  it('LibreChat learns whether a file is still there, in both ways', async () => {
    const client = libreChat(base, key);
    const [file = nowhere] = await client.upload([['a b.txt', 'x']], { entity_id: 'agent_1' });
    const [newest, oldest, files] = await Promise.all([
      client.lastModified(file),
      client.listed(file),
      client.filesOf(file.session_id),
    ]);
    assert.equal(newest, oldest);
    assert.ok(Math.abs(Date.parse(newest ?? '') - Date.now()) < 60_000, newest);
    assert.deepEqual(files, [file]);
    const none = await client.get(`/sessions/${nowhere.session_id}/objects/${nowhere.id}`);
    assert.deepEqual([none.status, none.body.error], [404, 'File not found']);
  });

  it('a file is deleted', async () => {
    const client = libreChat(base, key);
    const [file = nowhere] = await client.upload([['a', 'x']]);
    assert.ok((await client.delete(file)).ok);
    assert.equal((await client.download(file)).status, 404);
    assert.equal((await client.delete(file)).status, 404);
  });

  it("two keys cannot reach each other's files, and one key reaches its own by either header", async () => {
    const [file = nowhere] = await libreChat(base, key).upload([['a', 'x']]);
    const bearer = libreChat(base, { Authorization: 'Bearer secret' });
    assert.equal(await (await bearer.download(file)).text(), 'x');
    const other = libreChat(base, { 'X-API-Key': 'other' });
    const missing = (await (await other.download(nowhere)).json()) as Refusal;
    assert.equal(missing.error, 'File not found');
    const download = await other.download(file);
    assert.deepEqual([download.status, await download.json()], [404, missing]);
    const [ofHis, ofNobody] = await Promise.all(
      [file.session_id, nowhere.session_id].map((session) => other.get(`/files/${session}`)),
    );
    assert.deepEqual([ofHis?.status, ofHis?.body], [ofNobody?.status, ofNobody?.body]);
    for (const form of [older, newer]) {
      const { status, body } = await other.exec({ lang: 'py', code: '', files: [form(file)] });
      assert.ok(status >= 400 && status < 500 && body.error !== '', JSON.stringify([status, body]));
    }
    assert.equal((await other.delete(file)).status, 404);
    assert.equal(await (await bearer.download(file)).text(), 'x');
  });

  const refused: [name: string, body: unknown, status: number, error: RegExp][] = [
    ['a language that is none', { lang: 'cobol', code: '' }, 400, /^Unsupported language: cobol$/],
    ['a language that nobody has installed', { lang: 'rs', code: '' }, 400, /^Unsupported language: rs$/],
    ['no language', { code: '' }, 400, /./],
    ['no code', { lang: 'py' }, 400, /./],
    ['what is no JSON', '{', 400, /./],
  ];
  for (const [name, body, status, error] of refused) {
    it(`refuses ${name}`, async () => {
      const answer = await libreChat(base, key).exec(body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.body.error, error);
    });
  }

  it('refuses a path out of /mnt/data', async () => {
    const client = libreChat(base, key);
    const [file = nowhere] = await client.upload([['a', 'x']]);
    const files = [newer({ ...file, name: '../a' })];
    const { status, body } = await client.exec({ lang: 'py', code: '', files });
    assert.deepEqual([status, body.error.includes('"../a"')], [400, true], body.error);
  });

  it('needs no key, which LibreChat may not send, and answers below /v1, too', async () => {
    const nobody = libreChat(`${base}/v1`, {});
    const [file = nowhere] = await nobody.upload([['a.txt', 'x']]);
    const { stdout, files } = await nobody.run('py', 'print(open("a.txt").read())', { files: [newer(file)] });
    assert.deepEqual([stdout, files], ['x\n', []]);
    // A key's files are not for those without one.
    const [secret = nowhere] = await libreChat(base, key).upload([['a.txt', 'x']]);
    assert.equal((await nobody.download(secret)).status, 404);
  });

  it('bash runs where the files are: it reads, writes and calls Python', async () => {
    const client = libreChat(base, key);
    const files = await client.upload([
      ['dätä 1.csv', 'a,b\n'],
      ['main.py', 'x = "mine"\n'],
    ]);
    const ran = await client.run(
      'bash',
      `cat '/mnt/data/dätä 1.csv' main.py
echo "$# $1" > made.txt
python3 - <<'PY'
import main
open('/mnt/data/sub.txt', 'w').write(main.x)
PY
exit 3`,
      { files: files.map(newer), args: ['two words'] },
    );
    assert.deepEqual([ran.stdout, ran.stderr, ran.code], ['a,b\nx = "mine"\n', '', 3]);
    const contents = made(ran).map(async (file) => [file.name, await (await client.download(file)).text()]);
    assert.deepEqual(Object.fromEntries(await Promise.all(contents)), {
      'made.txt': '1 two words\n',
      'sub.txt': 'mine',
    });
  });

  it('a file that is called as the engine calls programs is there, and so is the program', async () => {
    const client = libreChat(base, key);
    const files = await client.upload([['main.py', 'x = "mine"']]);
    const ran = await client.run(
      'py',
      'import main, os\nos.mkdir("output")\nprint(main.x, open("main.py").read())',
      {
        files: files.map(newer),
      },
    );
    assert.deepEqual([ran.stdout, ran.stderr, ran.files], ['mine x = "mine"\n', '', []]);
  });

  it('a batch of files is told of one by one', async () => {
    const form = new FormData();
    for (const name of ['SKILL.md', 'lib/a.py']) form.append('file', new Blob([name]), name);
    const response = await fetch(`${base}/upload/batch`, { method: 'POST', headers: key, body: form });
    const { message, storage_session_id, files, succeeded, failed } = (await response.json()) as {
      message: string;
      storage_session_id: string;
      files: { status: string; fileId: string; filename: string }[];
      succeeded: number;
      failed: number;
    };
    assert.deepEqual([response.status, message, succeeded, failed], [200, 'success', 2, 0]);
    assert.deepEqual(
      files.map(({ status, filename }) => [status, filename]),
      [
        ['success', 'SKILL.md'],
        ['success', 'lib/a.py'],
      ],
    );
    const stored = await libreChat(base, key).filesOf(storage_session_id);
    assert.deepEqual(stored.map(({ name }) => name).sort(), ['SKILL.md', 'lib/a.py']);
  });

  it('an upload that is no form is refused', async () => {
    const { status, body } = await postJson<Refusal>(`${base}/upload`, {}, key);
    assert.equal(status, 400);
    assert.match(body.error, /multipart\/form-data/);
  });
});

describe('LibreChat with little time and room: kubernetes', () => {
  it('a run ends at its time, and another one is told when to come again', async () => {
    const server = await startServer('kubernetes', {
      ...small,
      VIVARIUM_DEFAULT_TIMEOUT_SECONDS: '3',
      VIVARIUM_CONCURRENCY: '1',
      VIVARIUM_QUEUE_LENGTH: '0',
    });
    try {
      const client = libreChat(String(server.dialects.librechat), key);
      const first = client.run('py', 'print("a", flush=True)\nimport time\ntime.sleep(60)');
      await until(
        'the run has its place',
        async () => (await metric(server.probesUrl, 'vivarium_running')) === 1,
        30,
      );
      const { status, body } = await client.exec({ lang: 'py', code: '' });
      assert.deepEqual([status, body.error], [429, 'rate_limited']);
      assert.ok(Number(body.retry_after_seconds) > 0);
      const { stdout, code, status: ending, message } = await first;
      assert.deepEqual([stdout, code, ending], ['a\n', null, 'TO']);
      assert.match(String(message), /time/i);
    } finally {
      await server.stop();
    }
  });
});
