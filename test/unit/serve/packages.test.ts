import assert from 'node:assert/strict';
import express from 'express';
import { describe, it, type TestContext } from 'node:test';
import { createLog } from '../../../src/observe/log.ts';
import type { describeError } from '../../../src/result/errors.ts';
import { callerBy } from '../../../src/serve/caller.ts';
import { errorHandler } from '../../../src/serve/errors.ts';
import { listen } from '../../../src/serve/http.ts';
import { packageRoutes } from '../../../src/serve/packages.ts';

const list = { python: '3.13.5', packages: [{ name: 'numpy', version: '2.3.2' }] };

async function door(t: TestContext) {
  const asked: string[][] = [];
  const routes = packageRoutes(
    (requirements) => {
      asked.push(requirements);
      return Promise.resolve(list);
    },
    { packagesAllowed: [], packagesDenied: ['denied'] },
    callerBy('x-caller'),
  );
  const app = express().use(routes, errorHandler(createLog('silent')));
  const server = await listen(app, '127.0.0.1', 0);
  t.after(() => server.close());
  const get = async (query: string, caller = 'alice') => {
    const answer = await fetch(`${server.url}/v1/packages${query}`, { headers: { 'x-caller': caller } });
    return { status: answer.status, body: await answer.json() };
  };
  return { asked, get };
}

type ErrorBody = ReturnType<typeof describeError>['body'];

describe('GET /v1/packages', () => {
  it('lists packages, of an environment too', async (t) => {
    const { asked, get } = await door(t);
    assert.deepEqual(await get(''), { status: 200, body: list });
    await get('?requirement=polars');
    await get('?requirement=polars%3E%3D1&requirement=httpx%5Bhttp2%5D');
    assert.deepEqual(asked, [[], ['polars'], ['polars>=1', 'httpx[http2]']]);
  });

  it('refuses what cannot be required, and who does not say who he is', async (t) => {
    const { asked, get } = await door(t);
    const table: [query: string, status: number, message: RegExp, caller?: string][] = [
      ['?requirement=denied', 400, /^requirement\.0: "denied": the package "denied" is not allowed/],
      ['?requirement=', 400, /it is empty/],
      ['?requirements=a', 400, /^query: Unrecognized key: "requirements"$/],
      ['', 401, /no header x-caller/, ''],
    ];
    for (const [query, status, message, caller] of table) {
      const answer = await get(query, caller);
      assert.equal(answer.status, status, query);
      assert.match((answer.body as ErrorBody).error.message, message);
    }
    assert.deepEqual(asked, []);
  });
});
