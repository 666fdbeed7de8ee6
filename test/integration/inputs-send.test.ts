import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { putBytes, type SendSettings } from '../../src/inputs/send.ts';
import { site } from './inputs-support.ts';

const settings: SendSettings = { fetchHosts: ['*'], fetchNetworks: ['127.0.0.0/8'], fetchSeconds: 10 };
const forever = new AbortController().signal;
const bytes = Buffer.from('some bytes');

/** Notes what it gets, and answers as the path says: `/<status>/<where to>`. */
async function bucket(t: TestContext) {
  const got: string[] = [];
  const { url } = await site(t, (req, res) => {
    void buffer(req).then((body) => {
      got.push(`${req.method} ${req.url} ${body.toString()}`);
      const [, status, to = ''] = (req.url ?? '').split('/');
      res.writeHead(Number(status), to === '' ? {} : { location: decodeURIComponent(to) });
      res.end('an answer');
    });
  });
  return { url, got };
}

describe('bytes that are sent', () => {
  it('arrive, and the answer is a status', async (t) => {
    const { url, got } = await bucket(t);
    for (const status of [200, 201, 204, 302, 403, 500])
      assert.equal(await putBytes(`${url}/${status}`, bytes, settings, forever), status);
    assert.equal(got[0], 'PUT /200 some bytes');
    assert.equal(await putBytes(`${url}/200`, Buffer.alloc(0), settings, forever), 200);
  });

  it('go on where a redirect keeps the method', async (t) => {
    const { url, got } = await bucket(t);
    const full = encodeURIComponent(`${url}/200/?a=%2f~'`);
    assert.equal(await putBytes(`${url}/307/${full}`, bytes, settings, forever), 200);
    assert.equal(got[1], "PUT /200/?a=%2f~' some bytes");
    assert.equal(await putBytes(`${url}/308/%2F201`, bytes, settings, forever), 201);
  });

  it('go nowhere else', async (t) => {
    const { url, got } = await bucket(t);
    const ofHost = { ...settings, fetchHosts: ['127.0.0.1'] };
    const elsewhere = encodeURIComponent(url.replace('127.0.0.1', 'localhost'));
    const lists = [
      [`${url}/307/${elsewhere}`, ofHost, 'file_refused'],
      [`${url}/200`, { ...settings, fetchHosts: [] }, 'file_refused'],
      [`${url}/200`, { ...settings, fetchNetworks: [] }, 'file_refused'],
      ['http://169.254.169.254/latest', settings, 'file_refused'],
      [`${url.replace('//', '//user:password@')}/200`, settings, 'file_refused'],
    ] as const;
    for (const [to, rules, code] of lists)
      await assert.rejects(putBytes(to, bytes, rules, forever), { code });
    assert.deepEqual(
      got.map((line) => line.slice(0, 8)),
      ['PUT /307'],
    );
  });

  it('do not go round and round', async (t) => {
    const { url, got } = await bucket(t);
    const round = `${url}/307/`;
    const { url: other } = await site(t, (_req, res) => {
      res.writeHead(307, { location: `${other}/again` }).end();
    });
    await assert.rejects(putBytes(round + encodeURIComponent(other), bytes, settings, forever), {
      code: 'file_unavailable',
      message: 'More than 5 redirects follow each other.',
    });
    assert.equal(got.length, 1);
  });

  it('are given up when the time is over, or their sender is gone', async (t) => {
    const { url } = await site(t, () => undefined);
    await assert.rejects(putBytes(url, bytes, { ...settings, fetchSeconds: 0.05 }, forever), {
      code: 'file_unavailable',
      message: 'The URL had not answered after 0.05 s (fetchSeconds).',
    });
    const away = new Error('away');
    await assert.rejects(putBytes(url, bytes, settings, AbortSignal.abort(away)), (error) => error === away);
  });
});
