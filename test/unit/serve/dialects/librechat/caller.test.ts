import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callerBy } from '../../../../../src/serve/caller.ts';
import { keyedCaller } from '../../../../../src/serve/dialects/librechat/caller.ts';

const asked = (header: string, headers: Record<string, string>) =>
  keyedCaller(callerBy(header))(new Headers(headers));

describe('keyedCaller', () => {
  it('tells keys apart, however they come', () => {
    const ada = asked('', { 'x-api-key': 'ada' });
    assert.equal(asked('', { authorization: 'Bearer ada' }), ada);
    assert.equal(asked('', { authorization: 'bearer  ada ' }), ada);
    assert.notEqual(asked('', { 'x-api-key': 'bob' }), ada);
    assert.match(ada, /^key-[0-9a-f]{32}$/);
  });

  it('takes the name that the proxy gives', () => {
    assert.equal(asked('x-user', { 'x-api-key': 'one', 'x-user': 'ada' }), 'ada');
    assert.throws(() => asked('x-user', { 'x-api-key': 'one' }), { code: 'unauthenticated' });
  });

  const token = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"sub":"ada"}').toString('base64url')}.c2ln`;
  for (const headers of [
    {},
    { 'x-api-key': '' },
    { 'x-api-key': ' ' },
    { authorization: 'Basic x' },
    { authorization: `Bearer ${token}` },
  ]) {
    it(`tells nobody by ${JSON.stringify(headers).slice(0, 40)}`, () => {
      assert.equal(asked('', headers), '');
    });
  }

  it('knows a token’s caller by the name that the proxy gives', () => {
    assert.equal(asked('x-user', { authorization: `Bearer ${token}`, 'x-user': 'ada' }), 'ada');
  });
});
