import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createPiston } from '../../../src/piston/client.ts';
import { apiOf } from '../../../src/piston/exchange.ts';
import type { PistonJob } from '../../../src/piston/piston.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import { recorded } from '../../piston/replay.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const job: PistonJob = { language: 'bash', version: '*', files: [{ content: 'echo 1' }], run_timeout: 1000 };
const patient = new AbortController().signal;

/** A Piston that does what a test says, and its client. */
async function client(t: TestContext, handler: Handler, maxTimeoutSeconds = 60) {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pistonUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const piston = createPiston({ pistonUrl, pistonToken: 'secret', maxTimeoutSeconds });
  t.after(async () => {
    await piston.close();
    server.closeAllConnections();
    server.close();
  });
  return piston;
}

function says(status: number, body: string): Handler {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
}

const bodyOf = (name: string) => recorded.find((each) => each.name === name)?.response.body ?? '';

/** What came of asking, if it is an error: its code and message. */
async function errorOf(asking: Promise<unknown>): Promise<[string, string]> {
  try {
    await asking;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    return [error.code, error.message];
  }
  throw new Error('There was no error.');
}

describe('apiOf', () => {
  const cases = [
    ['http://piston:2000', 'http://piston:2000/api/v2'],
    ['http://piston:2000/', 'http://piston:2000/api/v2'],
    ['http://piston:2000/api/v2', 'http://piston:2000/api/v2'],
    ['https://public.example/api/v2/piston/', 'https://public.example/api/v2/piston'],
    ['https://example.org/behind', 'https://example.org/behind/api/v2'],
  ] as const;
  for (const [given, expected] of cases) {
    it(given, () => {
      assert.equal(apiOf(given), expected);
    });
  }
});

describe('the client of a Piston', () => {
  it('sends the job as it is, and its token', async (t) => {
    const seen: unknown[] = [];
    const piston = await client(t, (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        seen.push([method, url, headers.authorization, headers['content-type'], JSON.parse(text)]);
        response.end(bodyOf('python ok'));
      });
    });
    const outcome = await piston.execute(job);
    assert.deepEqual(seen, [['POST', '/api/v2/execute', 'secret', 'application/json', job]]);
    assert.deepEqual(outcome, { answer: JSON.parse(bodyOf('python ok')) as unknown });
  });

  it('takes every answer that a Piston was seen to give', async (t) => {
    let body = '';
    const piston = await client(t, (_, response) => response.end(body));
    const runs = recorded.filter(
      ({ request, response: { status, body: said } }) =>
        request.path === '/api/v2/execute' &&
        request.method === 'POST' &&
        status === 200 &&
        said?.endsWith('}'),
    );
    assert.ok(runs.length > 90, String(runs.length));
    for (const { name, response } of runs) {
      body = response.body ?? '';
      assert.deepEqual(await piston.execute(job), { answer: JSON.parse(body) as unknown }, name);
    }
  });

  it('takes the shorter stages of older Pistons', async (t) => {
    const stage = { stdout: 'a', stderr: '', output: 'a', code: 0, signal: null };
    const said = JSON.stringify({ run: stage, language: 'bash', version: '5.0.0' });
    const piston = await client(t, says(200, said));
    const none = { memory: null, message: null, status: null, cpu_time: null, wall_time: null };
    const outcome = await piston.execute(job);
    assert.deepEqual('answer' in outcome && outcome.answer.run, { ...stage, ...none });
  });

  it('hands on why Piston refuses', async (t) => {
    const piston = await client(t, says(400, '{"message":"x-1 runtime is unknown"}'));
    assert.deepEqual(await piston.execute(job), { refused: 'x-1 runtime is unknown' });
  });

  const html = '<html><body>no</body></html>';
  const shape = (where: string) =>
    new RegExp(`^What Piston answered to execute has another shape than it should${where}`);
  const faults: [string, number, string, string, RegExp][] = [
    [
      '500 without a body',
      500,
      '',
      'piston_failed',
      /^Piston failed at execute and said nothing that explains it \(HTTP 500\)\.$/,
    ],
    ['500 with a message', 500, '{"message":"no space"}', 'piston_failed', /said no space \(HTTP 500\)/],
    [
      'a stack',
      400,
      bodyOf('bad JSON'),
      'piston_failed',
      /said SyntaxError: Unexpected end of JSON input \(HTTP 400\)/,
    ],
    ['400 without words', 400, '{}', 'piston_failed', /said nothing that explains it \(HTTP 400\)/],
    [
      'a body that is too large',
      400,
      bodyOf('body of 102401 bytes'),
      'too_large',
      /takes no request of \d+ bytes: by itself it takes 102400/,
    ],
    ['the same from a proxy', 413, html, 'too_large', /takes no request of \d+ bytes/],
    ['HTML in place of a result', 200, html, 'piston_failed', shape(': ')],
    ['nothing in place of a result', 200, '', 'piston_failed', shape(': ')],
    ['null in place of a result', 200, 'null', 'piston_failed', shape(': ')],
    ['no run', 200, '{"language":"a","version":"1"}', 'piston_failed', shape(' at run')],
    [
      'an exit code that is none',
      200,
      bodyOf('exit 7').replace('"code":7', '"code":700'),
      'piston_failed',
      shape(' at run.code'),
    ],
    [
      'a status that is none',
      200,
      bodyOf('exit 7').replace('"RE"', '"ZZ"'),
      'piston_failed',
      shape(' at run.status'),
    ],
    [
      'a wrong token',
      401,
      html,
      'piston_failed',
      /does not let this server in: check pistonToken \(HTTP 401\)/,
    ],
    [
      'another service',
      404,
      html,
      'piston_failed',
      /has no execute where it is looked for: check pistonUrl \(HTTP 404\)/,
    ],
    ['a redirect', 301, '', 'piston_failed', /check pistonUrl \(HTTP 301\)/],
    [
      'too many requests',
      429,
      '{"message":"slow down"}',
      'piston_unavailable',
      /takes no requests now \(HTTP 429\)/,
    ],
    ['a proxy before nothing', 502, html, 'piston_unavailable', /takes no requests now \(HTTP 502\)/],
  ];
  for (const [name, status, body, code, message] of faults) {
    it(`says what is wrong: ${name}`, async (t) => {
      const piston = await client(t, says(status, body));
      const [found, words] = await errorOf(piston.execute(job));
      assert.deepEqual([found, message.test(words)], [code, true], words);
    });
  }

  it('gives up on a Piston that does not answer, after the limits of the job', async (t) => {
    const asked = Promise.withResolvers<undefined>();
    const piston = await client(t, () => {
      asked.resolve(undefined);
    });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const error = errorOf(piston.execute({ ...job, run_timeout: 500, compile_timeout: 500 }));
    await asked.promise;
    t.mock.timers.tick(11_000);
    assert.match((await error)[1], /^Piston did not answer in 11 s\. Whether the code ran is not known\.$/);
  });

  it('waits for an answer to a job that asks for all the time in the world', async (t) => {
    const refused = 'run_timeout cannot exceed the configured limit of 3000';
    const piston = await client(t, says(400, JSON.stringify({ message: refused })));
    assert.deepEqual(await piston.execute({ ...job, run_timeout: 1e300 }), { refused });
  });

  it('gives up on one that breaks off', async (t) => {
    const piston = await client(t, (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"run":');
      setImmediate(() => response.destroy());
    });
    assert.deepEqual(await errorOf(piston.execute(job)), [
      'piston_unavailable',
      'Piston cannot be reached, or broke off (UND_ERR_SOCKET).',
    ]);
  });

  it('reads no more than a bound', async (t) => {
    const piston = await client(t, (_, response) => {
      const more = () => {
        while (response.write(' '.repeat(1_048_576)));
        response.once('drain', more);
      };
      more();
    });
    assert.deepEqual(await errorOf(piston.execute(job)), [
      'piston_failed',
      'Piston answered with more than 33554432 bytes.',
    ]);
  });

  it('says that nobody is there', async (t) => {
    const piston = createPiston({ pistonUrl: 'http://127.0.0.1:1', pistonToken: '', maxTimeoutSeconds: 1 });
    t.after(() => piston.close());
    assert.deepEqual(await errorOf(piston.runtimes(patient)), [
      'piston_unavailable',
      'Piston cannot be reached, or broke off (ECONNREFUSED).',
    ]);
  });

  it('ends with its caller, and with its server', async (t) => {
    const asked = Promise.withResolvers<undefined>();
    const closed: Promise<unknown>[] = [];
    const piston = await client(t, (request) => {
      closed.push(once(request.socket, 'close'));
      asked.resolve(undefined);
    });
    const leaving = new AbortController();
    const left = piston.runtimes(leaving.signal);
    await asked.promise;
    leaving.abort(new Error('left'));
    await assert.rejects(left, /left/);
    await closed[0];
    const waiting = [errorOf(piston.packages(patient)), errorOf(piston.execute(job))];
    await piston.close();
    for (const [code] of await Promise.all(waiting)) assert.equal(code, 'shutting_down');
  });

  it('asks for runtimes again only after a while, or a change', async (t) => {
    let asked = 0;
    const piston = await client(t, (request, response) => {
      if (request.url === '/api/v2/packages') response.end('{"language":"a","version":"1.0.0"}');
      else
        response.end(
          JSON.stringify([{ language: 'a', version: `1.0.${(asked += 1)}`, aliases: [], runtime: null }]),
        );
    });
    const first = [{ language: 'a', version: '1.0.1', aliases: [] }];
    assert.deepEqual([await piston.runtimes(patient), await piston.runtimes(patient)], [first, first]);
    const changed = await piston.change('POST', { language: 'a', version: '1.0.0' }, patient);
    assert.deepEqual(changed, { status: 200, body: { language: 'a', version: '1.0.0' } });
    assert.equal((await piston.runtimes(patient))[0]?.version, '1.0.2');
  });

  it('hands on what a change came to', async (t) => {
    const piston = await client(t, says(500, '{"message":"Already installed"}'));
    const wanted = { language: 'a', version: '1' };
    assert.deepEqual(await piston.change('POST', wanted, patient), {
      status: 500,
      body: { message: 'Already installed' },
    });
  });
});
