import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { executionRequest } from '../../../src/request/execution.ts';
import { createPeers } from '../../../src/sessions/peer.ts';
import { result } from '../support/result.ts';
import { config } from '../support/settings.ts';

const never = new AbortController().signal;
const call = { caller: 'alice', signal: never };
const request = executionRequest(config()).parse({ code: 'a', session_id: `ses_${'a'.repeat(26)}` });

async function peerOf(t: TestContext, answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peers = createPeers({ callerHeader: 'X-Caller', allowedHosts: ['vivarium.example.org'] });
  t.after(async () => {
    await peers.close();
    server.closeAllConnections();
    server.close();
  });
  return peers.at(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

describe('a call to another replica', () => {
  it('names its caller, a host that is allowed there, and itself', async (t) => {
    const seen: unknown[] = [];
    const peer = await peerOf(t, (req, res) => {
      void buffer(req).then((body) => {
        const { host, 'x-caller': caller, 'vivarium-forwarded': forwarded } = req.headers;
        seen.push([req.method, req.url, host, caller, forwarded, body.toString()]);
        res.end('{"entries":[],"left_out":0}');
      });
    });
    await peer.end('ses_a', call);
    await peer.cancel('id', call);
    await peer.cancelRequest('key', call);
    await peer.list('ses_a', 'a b', { recursive: true }, call);
    await peer.read('ses_a', 'a b/c?', 100, call);
    await peer.write('ses_a', 'ä', Buffer.from('x'), call);
    const common = ['vivarium.example.org', 'alice', 'call'];
    assert.deepEqual(seen, [
      ['DELETE', '/v1/sessions/ses_a', ...common, ''],
      ['DELETE', '/v1/executions/id', ...common, ''],
      ['DELETE', '/v1/requests/key', ...common, ''],
      ['GET', '/v1/sessions/ses_a/files?path=a+b&recursive=true', ...common, ''],
      ['GET', '/v1/sessions/ses_a/files/a%20b/c%3F', ...common, ''],
      ['PUT', '/v1/sessions/ses_a/files/%C3%A4', ...common, 'x'],
    ]);
  });

  it('gives the events of a run, and its result', async (t) => {
    const peer = await peerOf(t, (req, res) => {
      assert.equal(req.headers['vivarium-forwarded'], 'id');
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('event: starting\ndata: {"type":"starting","execution_id":"id"}\n\n: still here\n\n');
      res.end(`event: result\ndata: ${JSON.stringify(result)}\n\n`);
    });
    const events: string[] = [];
    const options = {
      ...call,
      executionId: 'id',
      onEvent: ({ type }: { type: string }) => events.push(type),
    };
    assert.deepEqual(await peer.execute(request, options), result);
    assert.deepEqual(events, ['starting']);
  });

  const error = {
    code: 'queue_full',
    message: 'Too many.',
    hint: '',
    retryable: true,
    retry_after_seconds: 3,
  };
  const expected = { name: 'ServiceError', code: 'queue_full', message: 'Too many.', retryAfterSeconds: 3 };
  const run = { ...call, executionId: 'id', onEvent: () => undefined };

  it('fails as the other replica did, before its answer or amid it', async (t) => {
    const before = await peerOf(t, (_req, res) => res.writeHead(429).end(JSON.stringify({ error })));
    await assert.rejects(before.execute(request, run), expected);
    await assert.rejects(before.read('a', 'b', 1, call), expected);
    const amid = await peerOf(t, (_req, res) => res.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`));
    await assert.rejects(amid.execute(request, run), expected);
  });

  it('does not know what became of a call whose answer ends too early, or has no meaning', async (t) => {
    const broken = {
      code: 'session_unreachable',
      message: /stopped answering amid the call: what became of it is not known/,
    };
    const short = await peerOf(t, (_req, res) => res.end('event: starting\ndata: {"type":"starting"}\n\n'));
    await assert.rejects(short.execute(request, run), broken);
    const other = await peerOf(t, (_req, res) => res.writeHead(502).end('<html>'));
    await assert.rejects(other.end('a', call), broken);
    const cut = await peerOf(t, (req) => req.socket.destroy());
    await assert.rejects(cut.end('a', call), broken);
  });

  it('finds nobody, or is given up', async (t) => {
    const peers = createPeers({ callerHeader: '', allowedHosts: ['*'] });
    t.after(() => peers.close());
    await assert.rejects(peers.at('http://127.0.0.1:1').end('a', call), {
      code: 'session_unreachable',
      message: 'The server that holds the session does not answer.',
    });
    const silent = await peerOf(t, () => undefined);
    const stop = new AbortController();
    const ending = silent.end('a', { caller: '', signal: stop.signal });
    stop.abort(new Error('gone'));
    await assert.rejects(ending, /gone/);
  });

  it('takes no more bytes of a file than were asked for', async (t) => {
    const peer = await peerOf(t, (_req, res) => res.end('abcdef'));
    assert.equal((await peer.read('a', 'b', 6, call)).toString(), 'abcdef');
    await assert.rejects(peer.read('a', 'b', 5, call), { code: 'too_large', message: /"b" has 6 bytes/ });
  });

  it('stops an answer that goes on beyond that, whose length it does not say', async (t) => {
    const written = Promise.withResolvers<undefined>();
    const peer = await peerOf(t, (_req, res) => {
      res.write('abcdef');
      res.once('close', () => {
        written.resolve(undefined);
      });
    });
    await assert.rejects(peer.read('a', 'b', 5, call), { code: 'too_large' });
    await written.promise;
  });

  it('does not know what became of a listing that breaks off', async (t) => {
    const peer = await peerOf(t, (_req, res) => {
      res.writeHead(200, { 'content-length': 100 });
      res.write('{"entries":[', () => res.destroy());
    });
    await assert.rejects(peer.list('a', '', { recursive: false }, call), { code: 'session_unreachable' });
  });
});
