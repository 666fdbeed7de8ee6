import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import express from 'express';
import { createLog } from '../../src/observe/log.ts';
import type { Service } from '../../src/schedule/service.ts';
import { listen } from '../../src/serve/http.ts';
import type { OnError } from '../../src/serve/mcp.ts';
import { mcpOverHttp } from '../../src/serve/mcp-http.ts';
import {
  connect,
  connectStdio,
  kinds,
  nativeTools,
  type Caller,
  type ClientKind,
} from '../e2e/harness/clients.ts';
import { callerBy } from '../../src/serve/caller.ts';
import { faultyId, files, idOf, offeringFactory, owner, result } from './offers/fixture.ts';

const header = 'x-caller';

async function door(t: TestContext, onError: OnError) {
  const factory = offeringFactory({ settings: { callerHeader: header }, onError });
  const service = { cancelRequest: () => Promise.resolve() } as unknown as Service;
  const mcp = mcpOverHttp(factory, service, callerBy(header), createLog('silent'));
  const app = express();
  app.use(express.json());
  app.all('/mcp', mcp.route);
  const server = await listen(app, '127.0.0.1', 0);
  t.after(async () => {
    await mcp.close();
    await server.close();
  });
  return server.url;
}

/** A client over HTTP, as a caller. */
async function asCaller(
  t: TestContext,
  kind: ClientKind,
  caller: string,
  onError: OnError = () => undefined,
): Promise<Caller> {
  const url = `${await door(t, onError)}/mcp`;
  const client = await connect(kind, url, {
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set(header, caller);
      return fetch(input, { ...init, headers });
    },
  });
  t.after(() => client.close());
  return client;
}

async function overStdio(t: TestContext, kind: ClientKind): Promise<Caller> {
  const client = await connectStdio(kind, process.env, ['test/integration/offers/stdio.ts']);
  t.after(() => client.close());
  return client;
}

const transports: [name: string, open: (t: TestContext, kind: ClientKind) => Promise<Caller>][] = [
  ['HTTP', (t, kind) => asCaller(t, kind, owner)],
  ['stdio', overStdio],
];

for (const kind of kinds) {
  for (const [transport, open] of transports) {
    describe(`what a run leaves behind: ${kind} over ${transport}`, () => {
      it('is linked, and small things are in the answer', async (t) => {
        const client = await open(t, kind);
        const answer = await client.call({ code: '42' });
        assert.deepEqual(answer.structuredContent, result);
        const [text, ...blocks] = answer.content as { type: string; name?: string; text?: string }[];
        assert.match(text?.text ?? '', /\n\nvalue:\n42\n/);
        assert.match(
          text?.text ?? '',
          /\nlost\.bin \(5 bytes, .*\): not kept\. The artifact store failed\.\n/,
        );
        assert.deepEqual(
          blocks.map(({ type, name }) => (name === undefined ? type : `${type} ${name}`)),
          [
            'resource_link figure-1.png',
            'image',
            'resource_link report.csv',
            'text',
            'resource_link broken.txt',
            'resource_link large.txt',
            'resource_link data.bin',
            'resource_link quotes.json',
            'resource_link huge.bin',
          ],
        );
        assert.deepEqual(blocks[0], {
          type: 'resource_link',
          uri: `artifact://${idOf('figure-1.png')}`,
          name: 'figure-1.png',
          mimeType: 'image/png',
          size: 1000,
          description: 'Figure figure-1.png',
        });
        const png = files['figure-1.png']?.bytes.toString('base64');
        assert.deepEqual(blocks[1], { type: 'image', data: png, mimeType: 'image/png' });
        assert.deepEqual(blocks[3], { type: 'text', text: 'report.csv:\na,b\n"ü",2\n' });
      });

      it('is read as a resource', async (t) => {
        const client = await open(t, kind);
        assert.deepEqual(await client.resources(), { templates: ['artifact://{id}'], listed: 0 });
        const uri = (path: string) => `artifact://${idOf(path)}`;
        assert.deepEqual(await client.read(uri('report.csv')), {
          uri: uri('report.csv'),
          mimeType: 'text/csv',
          text: 'a,b\n"ü",2\n',
        });
        for (const path of ['figure-1.png', 'broken.txt', 'data.bin']) {
          const { blob } = await client.read(uri(path));
          assert.ok(files[path]?.bytes.equals(Buffer.from(blob ?? '', 'base64')), path);
        }
        // As JSON it is twice as long, which a stdio client would not take.
        const { text, blob } = await client.read(uri('quotes.json'));
        assert.equal(
          Buffer.from(blob ?? text ?? '', blob === undefined ? 'utf8' : 'base64').length,
          6_291_456,
        );
        assert.equal(blob === undefined, transport === 'HTTP');
      });

      it('is not read where it is too large or not there, and the client is told', async (t) => {
        const client = await open(t, kind);
        const id = idOf('huge.bin');
        await assert.rejects(client.read(`artifact://${id}`), (error: Error & { code: number }) => {
          const most = transport === 'HTTP' ? '32.0 MiB' : '7.0 MiB';
          assert.match(error.message, new RegExp(`33\\.0 MiB long, and ${most} is the most.*: get it at `));
          assert.match(error.message, new RegExp(`https://vivarium\\.example\\.org/v1/artifacts/${id}\\.`));
          assert.equal(error.code, -32_602);
          return true;
        });
        const unknown = `artifact://${'a'.repeat(26)}-${'z'.repeat(16)}`;
        await assert.rejects(client.read(unknown), (error: Error & { code: number; data: unknown }) => {
          assert.match(error.message, /There is no artifact a{26}-z{16}, or it is no longer kept\./);
          assert.deepEqual([error.code, error.data], [-32_602, { uri: unknown }]);
          return true;
        });
      });
    });

    describe(`list_packages: ${kind} over ${transport}`, () => {
      it('lists what there is', async (t) => {
        const client = await open(t, kind);
        assert.deepEqual(await client.tools(), nativeTools);
        const answer = await client.tool('list_packages', {});
        assert.equal(answer.isError, false);
        assert.deepEqual(answer.structuredContent, {
          python: '3.13.5',
          packages: [{ name: 'numpy', version: '1.0' }],
        });
        assert.deepEqual(answer.content, [{ type: 'text', text: 'Python 3.13.5\nnumpy 1.0' }]);
      });

      it('tells how an environment is built', async (t) => {
        const client = await open(t, kind);
        const messages: string[] = [];
        const onProgress = (message: string) => messages.push(message);
        const answer = await client.tool('list_packages', { requirements: ['polars'] }, { onProgress });
        assert.match(JSON.stringify(answer.structuredContent), /"polars"/);
        assert.deepEqual(messages, ['building the environment: Resolved 1 package']);
      });

      it('answers with an error of the catalogue', async (t) => {
        const client = await open(t, kind);
        const answer = await client.tool('list_packages', { requirements: ['nonsense'] });
        assert.equal(answer.isError, true);
        assert.match(JSON.stringify(answer.content), /build_failed: There is no package/);
      });
    });
  }

  describe(`errors: ${kind}`, () => {
    it('are told to the server, but not those of the protocol', async (t) => {
      const told: string[] = [];
      const client = await asCaller(t, kind, owner, (where, error) =>
        told.push(`${where}: ${String(error)}`),
      );
      const answer = await client.tool('list_packages', { requirements: ['fault'] });
      assert.equal(answer.isError, true);
      await assert.rejects(client.read(`artifact://${faultyId}`), /in a way that it does not know/);
      await assert.rejects(client.read(`artifact://${idOf('huge.bin')}`), /is the most/);
      assert.deepEqual(told, ['list_packages: Error: unexpected', 'resources/read: Error: unexpected']);
    });
  });

  describe(`another caller: ${kind}`, () => {
    it('gets no artifact that is not theirs', async (t) => {
      const client = await asCaller(t, kind, 'bob');
      await assert.rejects(client.read(`artifact://${idOf('report.csv')}`), /There is no artifact/);
      const answer = await client.call({ code: '42' });
      assert.ok(!JSON.stringify(answer.content).includes('"image"'));
    });
  });
}
