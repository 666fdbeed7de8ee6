import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure, read, site, texts } from './inputs-support.ts';
import { until } from './until.ts';

const about = 'files[0] "a.csv"';

describe('files of a request', () => {
  it('come in their order, inline and fetched, the empty ones too', async (t) => {
    const { url } = await site(t, (req, res) => res.end(req.url === '/empty' ? '' : `at ${req.url}`));
    const files = [
      { path: 'z', bytes: Buffer.from('inline') },
      { path: 'y', url: `${url}/a?b=c#d` },
      { path: 'x', bytes: Buffer.alloc(0) },
      { path: 'w', url: `${url}/empty` },
    ];
    assert.deepEqual(await texts(files), [
      ['z', 'inline'],
      ['y', 'at /a?b=c'],
      ['x', ''],
      ['w', ''],
    ]);
    assert.deepEqual(await texts([]), []);
  });

  it('are asked for with nothing of the server’s own', async (t) => {
    const { url } = await site(t, (req, res) => res.end(JSON.stringify([req.method, req.headers])));
    const [[, said] = ['', '']] = await texts([{ path: 'a', url }]);
    assert.deepEqual(JSON.parse(said), [
      'GET',
      {
        host: url.slice('http://'.length),
        accept: '*/*',
        'accept-encoding': 'identity',
        'user-agent': 'vivarium',
        connection: 'close',
      },
    ]);
  });

  it('come in chunks of 256 KiB at most', async () => {
    const bytes = Buffer.alloc(600_000, 'x');
    const sizes: number[] = [];
    for await (const chunk of read([{ path: 'a', bytes }])) sizes.push(chunk.bytes.length);
    assert.deepEqual(sizes, [262_144, 262_144, 75_712]);
  });

  it('are 30 MB without being held', async (t) => {
    const block = Buffer.alloc(100_000, 'x');
    let sent = 0;
    const { url } = await site(t, (_req, res) => {
      const more = () => {
        let flows = true;
        for (; flows && sent < 30_000_000; sent += block.length) flows = res.write(block);
        if (flows) res.end();
      };
      res.on('drain', more);
      more();
    });
    let size = 0;
    let furthest = 0;
    for await (const { bytes } of read([{ path: 'a', url }], { settings: { inputBytes: 30_000_000 } })) {
      size += bytes.length;
      if (size < 1_000_000) await sleep(10);
      furthest = Math.max(furthest, sent - size);
    }
    assert.equal(size, 30_000_000);
    // What the sockets hold between the two, not the file.
    assert.ok(furthest < 12_000_000, `${furthest} bytes were on their way`);
  });
});

describe('files that are too large', () => {
  const settings = { inputBytes: 1000 };
  const tooLarge = (room: number) =>
    `too_large: ${about}: the file of 127.0.0.1 is larger than the ${room} bytes that inputBytes leaves for it.`;

  it('are refused by their Content-Length', async (t) => {
    const { url } = await site(t, (_req, res) => {
      res.writeHead(200, { 'content-length': 1001 });
      res.flushHeaders();
    });
    assert.equal(await failure(url, { settings }), tooLarge(1000));
  });

  it('are refused when too many bytes have come', async (t) => {
    let closed = false;
    const { url } = await site(t, (_req, res) => {
      res.once('close', () => (closed = true));
      res.write('x'.repeat(1000));
      res.write('x');
    });
    assert.equal(await failure(url, { settings }), tooLarge(1000));
    await until(() => closed);
  });

  it('just fit', async (t) => {
    const { url } = await site(t, (_req, res) => res.end('x'.repeat(1000)));
    const [[, text] = ['', '']] = await texts([{ path: 'a', url }], { settings });
    assert.equal(text.length, 1000);
  });

  it('are counted together', async (t) => {
    const { url } = await site(t, (_req, res) => res.end('x'.repeat(400)));
    const files = [
      { path: 'a', url },
      { path: 'b', url },
      { path: 'c', bytes: Buffer.alloc(201) },
    ];
    await assert.rejects(texts(files, { settings }), {
      code: 'too_large',
      message:
        'files[1] "b": the file of 127.0.0.1 is larger than the 399 bytes that inputBytes leaves for it.',
    });
    await assert.rejects(texts([{ path: 'a', bytes: Buffer.alloc(1001) }], { settings }), {
      code: 'too_large',
      message: 'The files have more than 1000 bytes together (inputBytes).',
    });
  });
});

describe('files that do not come', () => {
  it('are named with their host, and not with the query', async (t) => {
    const { url } = await site(t, (_req, res) => {
      res.statusCode = 404;
      res.end('no such file');
    });
    assert.equal(
      await failure(`${url}/x?token=secret`),
      `file_unavailable: ${about}: 127.0.0.1 answered with 404 (Not Found).`,
    );
  });

  for (const status of [204, 206, 304, 401, 500, 599]) {
    it(`have another status than 200: ${status}`, async (t) => {
      const { url } = await site(t, (_req, res) => {
        res.statusCode = status;
        res.end();
      });
      assert.match(await failure(url), new RegExp(`^file_unavailable: .* answered with ${status} \\(`));
    });
  }

  it('are encoded', async (t) => {
    const { url } = await site(t, (_req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' });
      res.end();
    });
    assert.match(
      await failure(url),
      /^file_unavailable: .* with a Content-Encoding, which it was asked not to\.$/,
    );
  });

  it('drip past the time', async (t) => {
    let closed = false;
    const { url } = await site(t, (_req, res) => {
      const drip = setInterval(() => res.write('x'), 10);
      res.once('close', () => {
        clearInterval(drip);
        closed = true;
      });
    });
    const late = `127.0.0.1 had not sent all of it when the time for the URLs of a request was over (fetchSeconds).`;
    assert.equal(
      await failure(url, { settings: { fetchSeconds: 0.2 } }),
      `file_unavailable: ${about}: ${late}`,
    );
    await until(() => closed);
  });

  it('are late together', async (t) => {
    const { url } = await site(t, (_req, res) => {
      setTimeout(() => res.end('x'), 200);
    });
    const files = Array.from({ length: 25 }, (_, at) => ({ path: `${at}`, url }));
    const began = performance.now();
    await assert.rejects(texts(files, { settings: { fetchSeconds: 0.5 } }), { code: 'file_unavailable' });
    assert.ok(performance.now() - began < 4000, 'sooner than they all come');
  });

  it('wait for a name or an answer past the time', async (t) => {
    const { url } = await site(t, () => undefined);
    const settings = { fetchSeconds: 0.1 };
    assert.match(await failure(url, { settings }), /^file_unavailable: .* 127\.0\.0\.1 had not sent all/);
    const silent = () => new Promise<never>(() => undefined);
    assert.match(
      await failure('http://files.test/', { settings, resolve: silent }),
      /^file_unavailable: .* files\.test had not sent all/,
    );
  });

  it('are broken off', async (t) => {
    const { url } = await site(t, (req, res) => {
      if (req.url === '/at-once') req.socket.destroy();
      res.writeHead(200, { 'content-length': 100 });
      res.write('x'.repeat(10), () => req.socket.resetAndDestroy());
    });
    const broken = `file_unavailable: ${about}: 127.0.0.1 broke off the connection.`;
    assert.equal(await failure(url), broken);
    assert.equal(await failure(`${url}/at-once`), broken);
  });

  it('end before their Content-Length', async (t) => {
    const { url } = await site(t, (req, res) => {
      res.writeHead(200, { 'content-length': 100 });
      res.write('x'.repeat(10), () => req.socket.end());
    });
    assert.match(await failure(url), /^file_unavailable: .* broke off the connection\.$/);
  });

  it('come from what speaks another protocol', async (t) => {
    const { port, url } = await site(t, (req) => {
      if (req.url !== '/upgrade') req.socket.end('SSH-2.0-x\r\n');
      else req.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    });
    assert.match(await failure(url), /^file_unavailable: .* did not answer in HTTP \(HPE_/);
    assert.match(await failure(`${url}/upgrade`), /^file_unavailable: .* broke off the connection\.$/);
    assert.match(
      await failure(`https://127.0.0.1:${port}/`),
      /^file_unavailable: .* did not answer in TLS\.$/,
    );
  });

  it('come from where nobody listens', async (t) => {
    const { url, server } = await site(t, () => undefined);
    server.close();
    assert.equal(await failure(url), `file_unavailable: ${about}: 127.0.0.1 refused the connection.`);
  });
});

describe('a caller who goes away', () => {
  it('ends a fetch, and its connection', async (t) => {
    let closed = false;
    const { url } = await site(t, (_req, res) => {
      res.once('close', () => (closed = true));
      res.write('x');
    });
    const gone = new AbortController();
    const reason = new Error('gone');
    await assert.rejects(
      async () => {
        for await (const { bytes } of read([{ path: 'a', url }], { signal: gone.signal })) {
          assert.equal(bytes.length, 1);
          gone.abort(reason);
        }
      },
      (error) => error === reason,
    );
    await until(() => closed);
  });

  it('ends a lookup, and what has not begun', async () => {
    const gone = new AbortController();
    const reason = new Error('gone');
    const resolve = () => {
      gone.abort(reason);
      return new Promise<never>(() => undefined);
    };
    const options = { signal: gone.signal, resolve };
    const isReason = (error: unknown) => error === reason;
    await assert.rejects(texts([{ path: 'a', url: 'http://files.test/' }], options), isReason);
    await assert.rejects(texts([{ path: 'a', bytes: Buffer.alloc(1) }], options), isReason);
  });

  it('may stop reading: that releases the connection', async (t) => {
    let closed = false;
    const { url } = await site(t, (_req, res) => {
      res.once('close', () => (closed = true));
      res.write('x');
    });
    for await (const { bytes } of read([{ path: 'a', url }])) {
      assert.equal(bytes.length, 1);
      break;
    }
    await until(() => closed);
  });
});
