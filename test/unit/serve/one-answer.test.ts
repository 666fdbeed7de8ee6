import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asOneAnswer } from '../../../src/serve/one-answer.ts';

const stream = (body: string, status = 200) =>
  new Response(body, { status, headers: { 'content-type': 'text/event-stream; charset=utf-8' } });

describe('one answer', () => {
  it('is the result of a stream, without what came before', async () => {
    const response = await asOneAnswer(
      stream(
        [
          ': still here\n\n',
          'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n',
          'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{"text":"data: x\\n"}}\n\n',
        ].join(''),
      ),
    );
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), { jsonrpc: '2.0', id: 1, result: { text: 'data: x\n' } });
  });

  it('may be an error', async () => {
    const response = await asOneAnswer(stream('data: {"id":1,"error":{"code":-32601}}\n\n'));
    assert.deepEqual(await response.json(), { id: 1, error: { code: -32_601 } });
  });

  it('is a list of those to a batch', async () => {
    const response = await asOneAnswer(
      stream('data: {"id":1,"result":{}}\n\ndata: {"id":2,"result":{}}\n\n'),
    );
    assert.deepEqual(await response.json(), [
      { id: 1, result: {} },
      { id: 2, result: {} },
    ]);
  });

  it('is what it was where there is no stream', async () => {
    const accepted = new Response(null, { status: 202 });
    assert.equal(await asOneAnswer(accepted), accepted);
    const json = Response.json({ error: 'x' }, { status: 400 });
    assert.equal(await asOneAnswer(json), json);
  });
});
