/** A client that was written for PRIMCS brings files in, looks at them, and fetches what was made of them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { getArtifact, withPrimcs } from './dialects/primcs.ts';
import { startSite, type Site } from './dialects/site.ts';
import { startServer, type Server } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';

const countries = 'country,region\nOman,ASIA\nPeru,AMERICA\n';
const settings = {
  VIVARIUM_DIALECTS: 'primcs:0',
  VIVARIUM_CALLER_HEADER: 'X-User',
  VIVARIUM_FETCH_HOSTS: '*',
  VIVARIUM_FETCH_NETWORKS: '127.0.0.1/32',
  VIVARIUM_DEFAULT_MEMORY_MB: '256',
};

describe('files of the primcs dialect', { concurrency: 3 }, () => {
  let server: Server;
  let site: Site;
  const undo = openUndo();
  before(async () => {
    site = await startSite({ '/countries.csv': countries });
    undo.add(() => site.close());
    server = await startServer('kubernetes', settings);
    undo.add(() => server.stop());
  });
  after(() => undo.run());

  const base = () => server.dialects.primcs ?? '';
  const using = (use: Parameters<typeof withPrimcs>[1]) => withPrimcs(base(), use);

  it('files of a run are at mounts/, read-only, and stay for the session', () =>
    using(async (client) => {
      const files = [{ url: `${site.url}/countries.csv`, mountPath: 'data/countries.csv' }];
      const read = "print(open('mounts/data/countries.csv').read())";
      const first = await client.run(
        `${read}\ntry: open('mounts/data/countries.csv', 'a')\nexcept PermissionError: print('refused')`,
        { files },
      );
      assert.equal(first.stdout, `${countries}\nrefused\n`, first.stderr);
      const second = await client.run(read);
      assert.equal(second.stdout, `${countries}\n`, second.stderr);
    }));

  it('files that cannot be had are errors of the run', () =>
    using(async (client) => {
      const url = `${site.url}/countries.csv`;
      const wrong: [file: Record<string, string>, said: RegExp][] = [
        [{ url: `${site.url}/nothing.csv`, mountPath: 'a' }, /404/],
        [{ url: 'http://10.1.2.3/', mountPath: 'a' }, /10\.1\.2\.3/],
        [{ url }, /^Each file entry must include a non-empty 'mountPath' key\./],
        [{ url, mountPath: '../a' }, /\.\.\/a/],
        [{ url, mountPath: '/a' }, /\/a/],
      ];
      for (const [file, expected] of wrong) {
        const said = await client.failure('run_code', { code: 'print(1)', files: [file] });
        assert.match(said, expected);
        assert.ok(said.includes('\nFEEDBACK: '), said);
      }
    }));

  it('mount_file brings a file for all runs to come', () =>
    using(async (client) => {
      const mount_path = 'data/my.csv';
      const url = `${site.url}/countries.csv`;
      assert.deepEqual(await client.call('mount_file', { url, mount_path }), {
        mounted_as: 'mounts/data/my.csv',
        bytes: countries.length,
      });
      const { stdout, stderr } = await client.run("print(len(open('mounts/data/my.csv').read()))");
      assert.equal(stdout, `${countries.length}\n`, stderr);
      for (const wrong of ['../a', 'a/../b', '/a', '']) {
        assert.equal(
          await client.failure('mount_file', { url, mount_path: wrong }),
          "mount_path must be a relative path without '..'",
        );
      }
      assert.match(await client.failure('mount_file', { url: `${site.url}/nothing`, mount_path }), /404/);
    }));

  it('list_dir and preview_file show the workspace', () =>
    using(async (client) => {
      assert.deepEqual(await client.list(), []);
      assert.equal(await client.failure('preview_file', { relative_path: 'output/a.txt' }), 'File not found');
      await client.run(`import os
os.mkdir('output/b')
for name, size in [('a.txt', 4), ('long.txt', 32768), ('longer.txt', 32769)]:
    open('output/' + name, 'w').write('x' * size)`);
      const root = await client.list();
      assert.deepEqual(
        root.filter(({ type }) => type === 'directory').map(({ path }) => path),
        ['mounts', 'output'],
      );
      const entries = await client.list('output/../output');
      assert.deepEqual(
        entries.map(({ name, path, type, size }) => [name, path, type, type === 'file' ? size : 0]),
        [
          ['a.txt', 'output/a.txt', 'file', 4],
          ['b', 'output/b', 'directory', 0],
          ['long.txt', 'output/long.txt', 'file', 32_768],
          ['longer.txt', 'output/longer.txt', 'file', 32_769],
        ],
      );
      assert.match(entries[0]?.modified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
      assert.deepEqual(await client.call('preview_file', { relative_path: 'output/a.txt' }), {
        name: 'a.txt',
        path: 'output/a.txt',
        size: 4,
        mime: 'text/plain',
        content: 'xxxx',
      });
      const long = await client.call('preview_file', { relative_path: 'output/long.txt' });
      assert.deepEqual([long.size, long.content], [32_768, 'x'.repeat(8_192)]);
      const outside = "Path must be relative to session root and may not contain '..'.";
      const wrong: [tool: string, args: Record<string, string>, said: string][] = [
        ['list_dir', { dir_path: 'output/a.txt' }, 'Specified path is not a directory'],
        ['list_dir', { dir_path: '../..' }, outside],
        ['list_dir', { dir_path: '/etc' }, outside],
        ['preview_file', { relative_path: 'output/longer.txt' }, 'File too large for preview'],
        ['preview_file', { relative_path: 'output/b' }, 'File not found'],
        ['preview_file', { relative_path: '../secret' }, outside],
      ];
      for (const [tool, args, said] of wrong) assert.equal(await client.failure(tool, args), said);
    }));

  it('persist_artifact puts a file where a presigned URL says, as it says it', () =>
    using(async (client) => {
      await client.run(`import os
open('output/a.csv', 'w').write('x,y\\n1,2\\n')
os.symlink('/etc/passwd', 'output/link')
open('output/large', 'wb').truncate(20 * 1024 * 1024 + 1)`);
      const path = '/bucket/a%2Fb%20c+d?X-Amz-Signature=a%2Bb%3D%3d&x-id=%7e';
      assert.deepEqual(
        await client.call('persist_artifact', { relative_path: 'a.csv', presigned_url: site.url + path }),
        { uploaded_bytes: 8, status: 200 },
      );
      assert.deepEqual(site.puts, [{ url: path, length: '8', body: 'x,y\n1,2\n' }]);
      const wrong: [relative_path: string, url: string, said: string | RegExp][] = [
        ['a.csv', `${site.url}/denied/a`, 'Upload failed with HTTP 403'],
        ['../a.csv', site.url, "relative_path must be inside output/ and cannot contain '..'"],
        ['nothing', site.url, 'Artifact not found: nothing'],
        ['link', site.url, 'Artifact not found: link'],
        ['large', site.url, 'Artifact exceeds size limit (20971520 bytes)'],
        ['a.csv', 'http://10.1.2.3/a', /10\.1\.2\.3/],
      ];
      for (const [relative_path, presigned_url, said] of wrong) {
        const failure = await client.failure('persist_artifact', { relative_path, presigned_url });
        if (typeof said === 'string') assert.equal(failure, said);
        else assert.match(failure, said);
      }
      assert.equal(site.puts.length, 1);
    }));

  it('artifacts are fetched with the session, and each error has its turn', () =>
    using(async (client) => {
      await client.run(`import os
os.mkdir('output/plots')
open('output/plots/plot.png', 'wb').write(b'PNG')
os.symlink('/etc/passwd', 'output/link')`);
      const { status, body, headers } = await getArtifact(base(), 'plots/plot.png', client.sessionId);
      assert.deepEqual(
        [status, body, headers['content-type'], headers['content-disposition']],
        [200, 'PNG', 'image/png', 'attachment; filename="plot.png"'],
      );
      assert.match(String(headers.etag), /^"[^"]+"$/);
      assert.equal((await getArtifact(base(), 'nothing/../plots/plot.png', client.sessionId)).status, 200);
      const wrong: [path: string, session: string | undefined, status: number, body: string][] = [
        ['../notes.txt', undefined, 400, 'Invalid artifact path'],
        ['..%2Fnotes.txt', undefined, 400, 'Invalid artifact path'],
        ['plots/../../notes.txt', client.sessionId, 400, 'Invalid artifact path'],
        ['/etc/passwd', client.sessionId, 400, 'Invalid artifact path'],
        ['plots/plot.png', undefined, 400, 'Missing mcp-session-id header'],
        ['nothing.png', client.sessionId, 404, 'File not found'],
        ['plots/plot.png', 'f3a1', 404, 'File not found'],
        ['plots', client.sessionId, 404, 'Not a file'],
        ['link', client.sessionId, 403, 'Forbidden'],
      ];
      for (const [path, session, status, body] of wrong) {
        const answer = await getArtifact(base(), path, session);
        assert.deepEqual([answer.status, answer.body], [status, body], path);
      }
    }));
});
