/** Files in and out: what a run finds in mounts/, and what comes back of what it left in output/. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import { ToolError } from './harness/clients.ts';
import { useServer } from './harness/fixture.ts';
import { backends } from './harness/server.ts';

const rightToLeft = 'שלום עולם.txt';
const longest = `${'x'.repeat(251)}.bin`;
const strange = 'a "quoted"\nname; é.csv';

/** Writes files of every name, some with other content than their names say. */
const writes = `import os
os.makedirs('output/deep/er')
for path, data in ${JSON.stringify([
  [rightToLeft, 'a'],
  [longest, 'b'],
  [strange, 'c,d\n'],
  ['deep/er/empty', ''],
])}:
    with open('output/' + path, 'w') as file:
        file.write(data)
with open('output/bytes', 'wb') as file:
    file.write(bytes(range(256)) * 1000)`;

const hostile = `import os, socket
os.chdir('output')
open('kept.txt', 'w').write('kept')
os.symlink('/etc/passwd', 'link')
os.symlink('/', 'root')
os.symlink('link', 'to-link')
os.mkfifo('fifo')
socket.socket(socket.AF_UNIX).bind('socket')
os.link('kept.txt', 'twin.txt')
open(b'not-\\xff-utf8', 'w').close()
with open('sparse', 'wb') as file:
    file.truncate(200 * 1024 * 1024)`;

for (const backend of backends) {
  describe(`files: ${backend}`, { concurrency: 2 }, () => {
    const site = createServer((request, response) => {
      if (request.url === '/data.csv') response.end('x,y\n1,2\n');
      else if (request.url === '/away') response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
      else response.writeHead(404).end();
    });
    const vivarium = useServer(backend, {
      VIVARIUM_FETCH_HOSTS: '*',
      VIVARIUM_FETCH_NETWORKS: '127.0.0.1/32',
    });
    let origin = '';
    before(async () => {
      site.listen(0, '127.0.0.1');
      await once(site, 'listening');
      origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    });
    after(() => site.close());

    const get = ({ url }: { url: string | null }, headers: Record<string, string> = {}) =>
      fetch(new URL(url ?? '', vivarium.server.url), { headers });

    it('text, bytes and a URL arrive as they are, and cannot be written', async () => {
      const { stdout, stderr, status } = await vivarium.run({
        code: `import hashlib, os, sys
for folder, folders, names in sorted(os.walk('mounts')):
    for name in sorted(names):
        path = os.path.join(folder, name)
        print(path, hashlib.sha256(open(path, 'rb').read()).hexdigest())
for path in ['mounts/new', 'mounts/a/b/text.txt']:
    try:
        open(path, 'a')
    except PermissionError:
        print('refused')`,
        files: [
          { path: 'a/b/text.txt', content: 'Grüße\n' },
          { mountPath: 'bytes', content_base64: Buffer.from([0, 255, 10]).toString('base64') },
          { path: 'empty', content: '' },
          { path: 'large.bin', content: 'x'.repeat(3_000_000) },
          { path: 'fetched.csv', url: `${origin}/data.csv` },
        ],
      });
      const sum = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
      assert.deepEqual(
        [status, stdout.split('\n')],
        [
          'succeeded',
          [
            `mounts/bytes ${sum(Buffer.from([0, 255, 10]))}`,
            `mounts/empty ${sum('')}`,
            `mounts/fetched.csv ${sum('x,y\n1,2\n')}`,
            `mounts/large.bin ${sum('x'.repeat(3_000_000))}`,
            `mounts/a/b/text.txt ${sum('Grüße\n')}`,
            'refused',
            'refused',
            '',
          ],
        ],
        stderr,
      );
    });

    for (const [what, url, code] of [
      ['a private address', () => 'http://10.1.2.3/', 'file_refused'],
      ['the metadata address in decimal', () => 'http://2852039166/', 'file_refused'],
      ['a mapped address', () => 'http://[::ffff:169.254.169.254]/', 'file_refused'],
      ['a redirect to a private address', () => `${origin}/away`, 'file_refused'],
      ['what is not there', () => `${origin}/nothing`, 'file_unavailable'],
    ] as const) {
      it(`${what} is not fetched, and the error names the file`, async () => {
        await assert.rejects(
          vivarium.run({ code: 'print(1)', files: [{ path: 'in.csv', url: url() }] }),
          (error) => error instanceof ToolError && error.code === code && error.message.includes('in.csv'),
        );
      });
    }

    it('files of every name come back as they were, and cannot be run by a browser', async () => {
      const { artifacts, left_out } = await vivarium.run({ code: writes });
      const found = artifacts.map(({ path, size, error }) => [path, size, error]);
      assert.deepEqual(
        found.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
        [
          [strange, 4, null],
          ['bytes', 256_000, null],
          ['deep/er/empty', 0, null],
          [longest, 1, null],
          [rightToLeft, 1, null],
        ],
      );
      assert.deepEqual(left_out, { total: 0, files: [] });
      for (const artifact of artifacts) {
        const response = await get(artifact);
        const bytes = Buffer.from(await response.arrayBuffer());
        assert.equal(createHash('sha256').update(bytes).digest('hex'), artifact.sha256);
        const { headers } = response;
        assert.match(headers.get('content-disposition') ?? '', /^attachment; filename/);
        assert.equal(headers.get('x-content-type-options'), 'nosniff');
        assert.match(headers.get('content-security-policy') ?? '', /sandbox/);
      }
      const bytes = artifacts.find(({ path }) => path === 'bytes');
      assert.ok(bytes);
      const part = await get(bytes, { range: 'bytes=255-256' });
      assert.deepEqual([part.status, [...new Uint8Array(await part.arrayBuffer())]], [206, [255, 0]]);
      const again = await get(bytes, { 'if-none-match': `"${String(bytes.sha256)}"` });
      assert.equal(again.status, 304);
    });

    it('links, devices, sparse giants and strange names are left out, and each says why', async () => {
      const result = await vivarium.run({ code: hostile, limits: { memory_mb: 256 } });
      assert.equal(result.status, 'succeeded', result.stderr);
      assert.deepEqual(result.artifacts.map(({ path }) => path).sort(), ['kept.txt', 'twin.txt']);
      assert.deepEqual(Object.fromEntries(reasons(result)), {
        fifo: 'type',
        link: 'type',
        'not-\\xff-utf8': 'name',
        root: 'type',
        socket: 'type',
        sparse: 'size',
        'to-link': 'type',
      });
    });

    it('of ten thousand files the first hundred come back, and the rest are counted', async () => {
      const result = await vivarium.run({
        code: 'for n in range(10_000): open(f"output/{n:05}", "w").write(str(n))',
      });
      const { artifacts, left_out } = result;
      assert.deepEqual([artifacts.length, artifacts.at(-1)?.path], [100, '00099']);
      assert.deepEqual([left_out.total, left_out.files.length], [9900, 100]);
      assert.ok(reasons(result).every(([, reason]) => reason === 'count'));
    });
  });
}

const reasons = ({ left_out }: ExecutionResult) =>
  left_out.files.map(({ path, reason }) => [path, reason] as const);
