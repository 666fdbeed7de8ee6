import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { failure, scripted, site, texts } from './inputs-support.ts';

describe('addresses that URLs lead to', () => {
  const literals: [url: string, host: string][] = [
    ['http://127.0.0.1/', '127.0.0.1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://0x7f000001/', '127.0.0.1'],
    ['http://017700000001/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://127.1/', '127.0.0.1'],
    ['http://127.0.0.1./', '127.0.0.1'],
    ['http://１２７.0.0.1/', '127.0.0.1'],
    ['http://127。0。0。1/', '127.0.0.1'],
    ['http://%31%32%37.0.0.1/', '127.0.0.1'],
    ['http://0/', '0.0.0.0'],
    ['http://[::]/', '::'],
    ['http://[::1]/', '::1'],
    ['http://[::1]:8080/', '::1'],
    ['http://[0:0:0:0:0:0:0:1]/', '::1'],
    ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['http://[::127.0.0.1]/', '::7f00:1'],
    ['http://[64:ff9b::127.0.0.1]/', '64:ff9b::7f00:1'],
    ['http://169.254.169.254/latest/meta-data/', '169.254.169.254'],
    ['http://2852039166/', '169.254.169.254'],
    ['http://[fd00:ec2::254]/', 'fd00:ec2::254'],
    ['https://10.0.0.1:6443/api', '10.0.0.1'],
  ];
  for (const [url, host] of literals) {
    it(`refuses ${url}`, async () => {
      const said = await failure(url, { settings: { fetchNetworks: [] } });
      assert.ok(
        said.startsWith(
          `file_refused: files[0] "a.csv": ${host} is not fetched from: it is at an address of `,
        ),
        said,
      );
    });
  }

  it('refuses localhost by what it resolves to', async () => {
    assert.equal(
      await failure('http://localhost/', { settings: { fetchNetworks: [] } }),
      'file_refused: files[0] "a.csv": localhost is not fetched from: it is at an address of this very machine.',
    );
  });

  it('refuses a host of which one address is refused, and does not tell the address', async (t) => {
    let asked = 0;
    const { port } = await site(t, (_req, res) => {
      asked += 1;
      res.end();
    });
    for (const addresses of [
      ['127.0.0.1', '10.9.8.7'],
      ['10.9.8.7', '127.0.0.1'],
      ['127.0.0.1', '::ffff:10.9.8.7'],
      ['127.0.0.1', 'fe80::1%1'],
    ]) {
      const { resolve } = scripted(addresses);
      const said = await failure(`http://files.test:${port}/`, { resolve });
      assert.match(
        said,
        /^file_refused: files\[0\] "a.csv": files\.test is not fetched from: it is at an address of /,
      );
      assert.doesNotMatch(said, /10\.9\.8\.7/);
    }
    assert.equal(asked, 0);
  });

  it('looks a name up once, and connects to what it was judged by', async (t) => {
    const { port } = await site(t, (req, res) => res.end(`for ${req.headers.host}`));
    const { resolve, asked } = scripted(['127.0.0.1'], ['169.254.169.254'], ['169.254.169.254']);
    assert.deepEqual(await texts([{ path: 'a', url: `http://files.test:${port}/` }], { resolve }), [
      ['a', `for files.test:${port}`],
    ]);
    assert.deepEqual(asked, ['files.test']);
  });

  it('judges a name anew that a redirect comes back to', async (t) => {
    const { port } = await site(t, (req, res) => {
      if (req.url === '/') res.writeHead(302, { location: '/again' });
      res.end('body');
    });
    const { resolve, asked } = scripted(['127.0.0.1'], ['10.0.0.1']);
    assert.match(await failure(`http://files.test:${port}/`, { resolve }), /^file_refused: /);
    assert.deepEqual(asked, ['files.test', 'files.test']);
  });

  it('tries the next address where one does not answer', async (t) => {
    const { port } = await site(t, (_req, res) => res.end('here'));
    const { resolve } = scripted(['127.0.0.2', '127.0.0.1']);
    assert.deepEqual(await texts([{ path: 'a', url: `http://files.test:${port}/` }], { resolve }), [
      ['a', 'here'],
    ]);
  });

  it('looks up no name that is not listed', async () => {
    const { resolve, asked } = scripted();
    const said = await failure('http://files.test/?token=secret', {
      resolve,
      settings: { fetchHosts: ['*.files.test', 'example.org'] },
    });
    assert.equal(
      said,
      'file_refused: files[0] "a.csv": files.test is not among the hosts that URLs may name here.',
    );
    assert.deepEqual(asked, []);
  });

  it('judges all URLs by their hosts before it gives the first file', async () => {
    const files = [
      { path: 'first', bytes: Buffer.from('x') },
      { path: 'second', url: 'http://other.test/' },
    ];
    await assert.rejects(texts(files, { settings: { fetchHosts: ['files.test'] } }), {
      code: 'file_refused',
      message: 'files[1] "second": other.test is not among the hosts that URLs may name here.',
    });
  });

  it('says that a name has no address, or is none', async () => {
    const { resolve } = scripted([]);
    assert.equal(
      await failure('http://files.test/', { resolve }),
      'file_unavailable: files[0] "a.csv": files.test has no address.',
    );
    const unknown = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
    assert.equal(
      await failure('http://files.test/', { resolve: unknown }),
      'file_unavailable: files[0] "a.csv": files.test is not known to DNS.',
    );
  });

  it('uses no proxy that the environment names', async (t) => {
    const proxy = await site(t, (_req, res) => res.end('from the proxy'));
    const origin = await site(t, (_req, res) => res.end('from the origin'));
    const program = `
      import { texts } from ${JSON.stringify(`${import.meta.dirname}/inputs-support.ts`)};
      console.log(await texts([{ path: 'a', url: ${JSON.stringify(origin.url)} }]));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env: { NODE_USE_ENV_PROXY: '1', http_proxy: proxy.url, HTTP_PROXY: proxy.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
    assert.match(said, /from the origin/);
  });
});
