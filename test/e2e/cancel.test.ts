/** However a run is ended from outside, soon no process is left of it, and then no Job and no pod. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import { kinds, withCaller, type Caller, type Fetch } from './harness/clients.ts';
import { kubectl } from './harness/cluster.ts';
import { startLive, vanished, type Live } from './harness/live.ts';
import { marked, newMark } from './harness/marks.ts';
import { release } from './harness/release.ts';
import { rest, streamRun } from './harness/rest.ts';
import { backends, both, startServer, type BackendName, type Server } from './harness/server.ts';
import { until } from './harness/until.ts';

/** A cluster that has nothing else to do takes about 3 s; this one starts pods for other tests meanwhile. */
const withinSeconds = { local: 5, kubernetes: 20 };

for (const backend of backends) {
  // What starts beside it takes from the time of what ends.
  describe(`cancelling: ${backend}`, { concurrency: backend === 'local' ? 3 : 1 }, () => {
    let server: Server | undefined;
    before(async () => {
      server = await startServer(backend);
    });
    after(() => server?.stop());
    const url = () => server?.url ?? '';
    const mcpUrl = () => server?.mcpUrl ?? '';

    for (const kind of kinds) {
      it(`by the client's own cancellation: ${kind}`, () =>
        withCaller(kind, mcpUrl(), async (caller) => {
          const live = await startLive(caller);
          live.cancel.abort();
          await vanished(backend, live, withinSeconds[backend]);
          assert.ok((await live.outcome) instanceof Error);
        }));

      it(`by the client's disappearance: ${kind}`, async () => {
        const connections = new Agent();
        const disappear = async (caller: Caller) => {
          const live = await startLive(caller);
          await connections.destroy();
          await vanished(backend, live, withinSeconds[backend]);
        };
        await withCaller(kind, mcpUrl(), disappear, { fetch: fetchOver(connections) });
      });
    }

    it('by the end of a REST connection', async () => {
      const mark = newMark();
      const code = marked(mark, 'import time; time.sleep(150)');
      const stream = streamRun(url(), { code, timeout_seconds: 160 });
      const { data } = await stream.next('started');
      const id = String(data.execution_id);
      await until('it is known to run', async () => (await view(url(), id)).state === 'running', 10);
      stream.destroy();
      await vanished(backend, { id, mark }, withinSeconds[backend]);
      await until(
        'it does not run',
        async () => (await view(url(), id)).state !== 'running',
        withinSeconds[backend],
      );
    });

    it('by its id; what it had written is kept', () =>
      withCaller('v2 modern', mcpUrl(), async (caller) => {
        await checkDeleted(backend, await startLive(caller), url());
      }));

    it('an id that is not there is not found, and one that is none is refused', async () => {
      const unknown = await rest('DELETE', `${url()}/v1/executions/${'a'.repeat(26)}`);
      const wrong = await rest('DELETE', `${url()}/v1/executions/run-1`);
      const codes = [unknown, wrong].map(({ body }) => (body as { error: { code: string } }).error.code);
      assert.deepEqual([unknown.status, wrong.status, codes], [404, 400, ['not_found', 'invalid_request']]);
    });

    it('by SIGTERM to its server', async () => {
      const own = await startServer(backend, { VIVARIUM_DRAIN_SECONDS: '0.1' });
      try {
        await withCaller('v2 modern', own.mcpUrl, async (caller) => {
          const live = await startLive(caller);
          own.kill('SIGTERM');
          await vanished(backend, live, withinSeconds[backend]);
          const { status, stdout, exit_code, message } = await resultOf(live);
          assert.deepEqual([status, stdout, exit_code], ['cancelled', 'before', null]);
          assert.match(message, /server shuts down/);
        });
        await until('the server has ended', () => own.hasEnded(), 10);
        if (backend === 'kubernetes') await noLease(own);
      } finally {
        await own.stop();
      }
    });
  });
}

describe('cancelling through another replica', () => {
  const servers: Server[] = [];
  before(async () => {
    servers.push(...(await both(startServer('kubernetes'), startServer('kubernetes'))));
  });
  after(() => Promise.all(servers.map((server) => server.stop())));
  const [here, there] = [() => servers[0]?.mcpUrl ?? '', () => servers[1]?.mcpUrl ?? ''];

  for (const kind of ['v1', 'v2 legacy'] as const) {
    it(`by the client's own cancellation: ${kind}`, async () => {
      let sent = 0;
      const divert: Fetch = (input, init) => {
        const isCancel = typeof init?.body === 'string' && init.body.includes('notifications/cancelled');
        if (!isCancel) return fetch(input, withoutAbort(init));
        sent += 1;
        return fetch(there(), init);
      };
      const cancel = async (caller: Caller) => {
        const live = await startLive(caller);
        live.cancel.abort();
        await vanished('kubernetes', live, withinSeconds.kubernetes);
        assert.equal(sent, 1);
      };
      await withCaller(kind, here(), cancel, { fetch: divert });
    });
  }

  it('by its id', () =>
    withCaller('v2 modern', here(), async (caller) => {
      await checkDeleted('kubernetes', await startLive(caller), there().replace(/\/mcp$/, ''));
    }));
});

async function checkDeleted(backend: BackendName, live: Live, url: string): Promise<void> {
  const { status, body } = await rest('DELETE', `${url}/v1/executions/${live.id}`);
  assert.deepEqual([status, body], [202, { execution_id: live.id }]);
  await vanished(backend, live, withinSeconds[backend]);
  const { status: ended, stdout, exit_code } = await resultOf(live);
  assert.deepEqual([ended, stdout, exit_code], ['cancelled', 'before', null]);
}

async function resultOf({ outcome }: Live): Promise<ExecutionResult> {
  const ended = await outcome;
  if (ended instanceof Error) throw ended;
  return ended;
}

async function view(url: string, id: string): Promise<{ state?: string }> {
  return (await rest('GET', `${url}/v1/executions/${id}`)).body as { state?: string };
}

async function noLease({ replica }: Server): Promise<void> {
  const leases = await kubectl(['get', 'leases', '-n', release().sandboxes, '-o', 'name']);
  assert.ok(!leases.includes(replica), leases);
}

/** A fetch whose connections can be destroyed under it. */
function fetchOver(dispatcher: Agent): Fetch {
  return (input, init) => undiciFetch(input, { ...(init as object), dispatcher });
}

/** The message must do it, and not the end of the connection that a client closes along with it. */
function withoutAbort(init: RequestInit = {}): RequestInit {
  const { signal, ...others } = init;
  assert.ok(signal);
  return others;
}
