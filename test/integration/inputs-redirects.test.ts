import assert from 'node:assert/strict';
import type { ServerOptions } from 'node:https';
import { describe, it } from 'node:test';
import { rootCertificates, setDefaultCACertificates } from 'node:tls';
import { makeCertificate } from '../index/certificate.ts';
import { failure, site, texts } from './inputs-support.ts';
import { until } from './until.ts';

const about = 'files[0] "a.csv"';

describe('redirects', () => {
  it('are followed, five at most', async (t) => {
    const asked: string[] = [];
    const { url } = await site(t, (req, res) => {
      asked.push(req.url ?? '');
      const left = Number(req.url?.slice(1));
      if (left > 0) {
        const status = [301, 302, 303, 307, 308][left % 5] ?? 301;
        res.writeHead(status, {
          location: left % 2 ? `${url}/${left - 1}` : `/${left - 1}`,
          'set-cookie': 'a=b',
        });
      }
      res.end(`cookie ${req.headers.cookie ?? 'none'}`);
    });
    assert.deepEqual(await texts([{ path: 'a', url: `${url}/5` }]), [['a', 'cookie none']]);
    assert.equal(asked.length, 6);
    assert.equal(
      await failure(`${url}/6`),
      `file_unavailable: ${about}: 127.0.0.1 is where more than 5 redirects lead.`,
    );
    assert.equal(asked.length, 12);
  });

  const refused: [location: string, why: RegExp][] = [
    ['http://169.254.169.254/latest/', /^file_refused: .* 169\.254\.169\.254 is not fetched from/],
    ['http://[::ffff:169.254.169.254]/', /^file_refused: .* ::ffff:a9fe:a9fe is not fetched from/],
    ['//10.0.0.1/', /^file_refused: .* 10\.0\.0\.1 is not fetched from/],
    ['file:///etc/passwd', /^file_refused: .* a URL of "file:" is not fetched/],
    ['http://user:secret@127.0.0.1/', /^file_refused: .* user name or a password/],
    ['http://other.test/', /^file_refused: .* other\.test is not among the hosts/],
    ['http://', /^file_unavailable: .* 127\.0\.0\.1 redirects to what is no URL\.$/],
  ];
  for (const [location, why] of refused) {
    it(`are not followed to ${location}`, async (t) => {
      const { url } = await site(t, (_req, res) => {
        res.writeHead(302, { location });
        res.end();
      });
      const fetchHosts = ['127.0.0.1', '169.254.169.254', '::ffff:a9fe:a9fe', '10.0.0.1'];
      const said = await failure(url, { settings: { fetchHosts } });
      assert.match(said, why);
      assert.doesNotMatch(said, /secret/);
    });
  }

  it('are followed from an answer that does not end, whose connection is released', async (t) => {
    let closed = false;
    const { url } = await site(t, (req, res) => {
      if (req.url === '/next') {
        res.end('here');
        return;
      }
      res.once('close', () => (closed = true));
      res.writeHead(302, { location: '/next' });
      res.write('x');
    });
    assert.deepEqual(await texts([{ path: 'a', url }]), [['a', 'here']]);
    await until(() => closed);
  });

  it('need a Location', async (t) => {
    const { url } = await site(t, (_req, res) => {
      res.statusCode = 302;
      res.end();
    });
    assert.match(await failure(url), /^file_unavailable: .* answered with 302 \(Found\)\.$/);
  });
});

describe('HTTPS', () => {
  it('needs a certificate that is trusted, for the name in the URL, and keeps to it', async (t) => {
    const plain = await site(t, (_req, res) => res.end('plain'));
    const { ca, cert, key } = await makeCertificate(['files.test']);
    const names: string[] = [];
    const SNICallback: ServerOptions['SNICallback'] = (name, done) => {
      names.push(name);
      done(null);
    };
    const secure = await site(
      t,
      (req, res) => {
        if (req.url === '/down') res.writeHead(302, { location: plain.url });
        res.end('secure');
      },
      { cert, key, SNICallback },
    );
    const at = (host: string, path = '/') => `https://${host}:${secure.port}${path}`;
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);

    assert.match(
      await failure(at('files.test'), { resolve }),
      /^file_unavailable: .* files\.test has a certificate of an authority that is not trusted\.$/,
    );
    setDefaultCACertificates([...rootCertificates, ca]);
    t.after(() => {
      setDefaultCACertificates([...rootCertificates]);
    });
    names.length = 0;
    assert.deepEqual(await texts([{ path: 'a', url: at('files.test.') }], { resolve }), [['a', 'secure']]);
    assert.deepEqual(names, ['files.test']);
    for (const host of ['other.test', '127.0.0.1']) {
      const said = await failure(at(host), { resolve });
      assert.ok(said.endsWith(`${host} has a certificate for another name.`), said);
    }
    assert.equal(
      await failure(at('files.test', '/down'), { resolve }),
      `file_refused: ${about}: files.test redirects from https to http.`,
    );
  });
});
