/** The package index of the tests, against an upstream of its own. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { jsonType } from '../index/page.ts';
import { startIndex, type IndexOptions, type PackageIndex } from '../index/server.ts';

const wheel = 'thing-1.0-py3-none-any.whl';
const metadata = 'Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n';

const makeWheel = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as wheel:
    wheel.writestr('thing/__init__.py', 'x = 1')
    wheel.writestr('thing-1.0.dist-info/METADATA', sys.argv[2])`;

const openWithCa = `import ssl, sys
from urllib.request import urlopen
print(urlopen(sys.argv[1], context=ssl.create_default_context(cadata=sys.argv[2])).status)`;

const folder = mkdtempSync(join(tmpdir(), 'vivarium-index-'));
const asked: string[] = [];
let upstream: Server;
let bytes: Buffer;

function page(): string {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return `<a href="../../${wheel}#sha256=${sha256}" data-requires-python="&gt;=3.9">${wheel}</a>
<a href="/${wheel}#sha256=${'0'.repeat(64)}">other-1.0-py3-none-any.whl</a>
<a href="/thing-0.9.tar.gz" data-yanked="">thing-0.9.tar.gz</a>`;
}

async function withIndex(options: IndexOptions, use: (index: PackageIndex) => Promise<void>): Promise<void> {
  const { port } = upstream.address() as AddressInfo;
  const index = await startIndex({ folder, upstream: `http://127.0.0.1:${port}/simple`, ...options });
  try {
    await use(index);
  } finally {
    await index.close();
  }
}

describe('the package index of the tests', () => {
  before(async () => {
    const path = join(folder, wheel);
    execFileSync('python3', ['-c', makeWheel, path, metadata]);
    bytes = readFileSync(path);
    upstream = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/simple/thing/') response.setHeader('content-type', 'text/html').end(page());
      else if (request.url === `/${wheel}`) response.end(bytes);
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
  });

  after(() => {
    upstream.close();
    rmSync(folder, { recursive: true });
  });

  it('tells the files of a project by URLs of its own, as JSON and as HTML', async () => {
    await withIndex({}, async ({ url }) => {
      const json = await fetch(`${url}/thing/`, { headers: { accept: jsonType } });
      const { files } = (await json.json()) as { files: Record<string, unknown>[] };
      assert.equal(files.length, 3);
      assert.equal(files[0]?.url, `../../files/thing/${wheel}`);
      assert.equal(files[0]['requires-python'], '>=3.9');
      assert.equal(files[0]['core-metadata'], true);
      assert.deepEqual([files[0].yanked, files[2]?.yanked], [false, true]);
      const html = await (await fetch(`${url}/thing/`)).text();
      assert.match(
        html,
        /href="..\/..\/files\/thing\/thing-1.0-py3-none-any.whl#sha256=[0-9a-f]{64}" data-requires-python="&gt;=3.9" data-core-metadata/,
      );
      assert.match(html, /thing-0.9.tar.gz" data-yanked=""/);
    });
  });

  it('fetches a file once, and takes the metadata from the wheel', async () => {
    asked.length = 0;
    await withIndex({}, async ({ url, requests }) => {
      const file = new URL(`../files/thing/${wheel}`, `${url}/`).href;
      const answers = await Promise.all([file, file, `${file}.metadata`].map((each) => fetch(each)));
      const [first, second, third] = await Promise.all(
        answers.map(async (each) => Buffer.from(await each.arrayBuffer())),
      );
      assert.deepEqual([first, second], [bytes, bytes]);
      assert.equal(third?.toString(), metadata);
      assert.equal(requests.length, 3);
    });
    assert.deepEqual(
      asked.filter((path) => path === `/${wheel}`),
      [`/${wheel}`],
    );
  });

  it('says what upstream lacks, and hands out nothing that is not what was promised', async () => {
    await withIndex({}, async ({ url }) => {
      const status = async (path: string) => (await fetch(new URL(path, `${url}/`))).status;
      assert.equal(await status('nothing/'), 404);
      assert.equal(await status('../files/thing/thing-2.0.tar.gz'), 404);
      assert.equal(await status('../files/thing/..%2f..%2fpages%2fthing.json'), 404);
      assert.equal(await status('../files/thing/other-1.0-py3-none-any.whl'), 502);
    });
  });

  it('lets in who has the credentials', async () => {
    const credentials = { user: 'a', password: 'b c' };
    await withIndex({ credentials }, async ({ url, requests, refused }) => {
      assert.equal((await fetch(`${url}/thing/`)).status, 401);
      const headers = { authorization: `Basic ${btoa('a:b c')}` };
      assert.equal((await fetch(`${url}/thing/`, { headers })).status, 200);
      assert.deepEqual([requests, refused()], [['/simple/thing/'], 1]);
    });
  });

  it('speaks TLS with an authority of its own', async () => {
    await withIndex({ tls: true }, async ({ url, ca }) => {
      assert.match(ca ?? '', /BEGIN CERTIFICATE/);
      await assert.rejects(fetch(`${url}/thing/`));
      const get = promisify(execFile)('python3', ['-c', openWithCa, `${url}/thing/`, ca ?? '']);
      assert.equal((await get).stdout, '200\n');
    });
  });
});
