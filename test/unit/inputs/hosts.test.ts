import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalOfUrl } from '../../../src/inputs/fetch.ts';
import { isListed, plainHost } from '../../../src/inputs/hosts.ts';

describe('isListed', () => {
  const cases: [pattern: string, host: string, listed: boolean][] = [
    ['example.org', 'example.org', true],
    ['Example.ORG', 'example.org', true],
    ['example.org', 'example.org.', true],
    ['example.org', 'example.org..', false],
    ['example.org', 'www.example.org', false],
    ['example.org', 'example.org.evil.net', false],
    ['example.org', 'notexample.org', false],
    ['*.example.org', 'www.example.org', true],
    ['*.example.org', 'a.b.example.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', 'evilexample.org', false],
    ['*.0.0.1', '127.0.0.1', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['*', 'anything', true],
    ['*', '[::1]', true],
    ['::1', '[::1]', true],
  ];
  for (const [pattern, host, listed] of cases) {
    it(`${pattern} ${listed ? 'names' : 'does not name'} ${host}`, () => {
      assert.equal(isListed(host, [pattern]), listed);
    });
  }

  it('names nothing without patterns, and all that any of several names', () => {
    assert.equal(isListed('example.org', []), false);
    assert.equal(isListed('b.org', ['a.org', 'b.org']), true);
  });
});

describe('plainHost', () => {
  for (const [host, plain] of [
    ['[::1]', '::1'],
    ['example.org.', 'example.org'],
    ['127.0.0.1', '127.0.0.1'],
  ] as const) {
    it(`is ${plain} for ${host}`, () => {
      assert.equal(plainHost(host), plain);
    });
  }
});

describe('refusalOfUrl', () => {
  const cases: [url: string, why: RegExp][] = [
    ['file:///etc/passwd', /"file:" is not fetched/],
    ['ftp://example.org/x', /"ftp:" is not fetched/],
    ['data:text/plain,x', /"data:" is not fetched/],
    ['http://user@example.org/', /user name or a password/],
    ['http://:secret@example.org/', /user name or a password/],
    ['http://other.org/', /^other\.org is not among the hosts/],
    ['http://example.org@other.org/', /user name or a password/],
    ['http://other.org\\@example.org/', /^other\.org is not among the hosts/],
    ['http://other.org#@example.org/', /^other\.org is not among the hosts/],
  ];
  for (const [url, why] of cases) {
    it(`refuses ${url}`, () => {
      const said = refusalOfUrl(new URL(url), ['example.org']) ?? '';
      assert.match(said, why);
      assert.doesNotMatch(said, /secret/);
    });
  }

  it('lets listed hosts pass, at any port', () => {
    assert.equal(refusalOfUrl(new URL('https://EXAMPLE.org:8443/x?y'), ['example.org']), undefined);
  });
});
