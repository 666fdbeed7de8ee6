import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { listAndWatch, type Listed } from '../../../src/sandbox/watch.ts';
import { fakeClient } from '../support/fake-client.ts';
import { mockTimers } from '../support/mock-timers.ts';
import { until } from '../support/until.ts';
import { WatchBody } from '../support/watch-body.ts';

function object(name: string, resourceVersion: string): Listed {
  return { metadata: { name, resourceVersion } };
}

/** A watch on a server of which the test plays the part, and what its watcher was told. */
function watching(t: TestContext, list: () => Listed[] = () => [], isAway = false) {
  const bodies: WatchBody[] = [];
  const told: string[] = [];
  let lists = 0;
  let away = isAway;
  const client = fakeClient({
    json: () => {
      lists += 1;
      if (away) throw new Error('away');
      return { metadata: { resourceVersion: `list-${lists}` }, items: list() };
    },
    stream: ({ signal }) => {
      const body = new WatchBody();
      signal.addEventListener('abort', () => body.destroy(new Error('aborted')), { once: true });
      bodies.push(body);
      return body;
    },
  });
  const name = (item: Listed) => item.metadata?.name ?? '';
  const stop = new AbortController();
  const ended = listAndWatch<Listed>(
    client,
    '/things',
    { labelSelector: 'a=b' },
    {
      replace: (items) => told.push(`replace ${items.map(name).join(' ')}`.trim()),
      change: (item) => told.push(`change ${name(item)}`),
      remove: (item) => told.push(`remove ${name(item)}`),
      live: (isLive) => told.push(isLive ? 'live' : 'stale'),
    },
    stop.signal,
  );
  const end = async () => {
    stop.abort();
    await ended;
  };
  t.after(end);
  return {
    client,
    bodies,
    told,
    end,
    lists: () => lists,
    comeBack: () => {
      away = false;
    },
    body: async (index: number): Promise<WatchBody> => {
      await until(() => bodies.length > index);
      return bodies[index] ?? assert.fail();
    },
  };
}

describe('listAndWatch', () => {
  it('lists, then watches from there', async (t) => {
    const { client, body, told, end } = watching(t, () => [object('a', '1'), object('b', '2')]);
    const watch = await body(0);
    watch.tell('ADDED', object('c', '3'));
    watch.tell('MODIFIED', object('a', '4'));
    watch.tell('BOOKMARK', object('', '5'));
    watch.tell('DELETED', object('b', '6'));
    await until(() => told.length === 5);
    assert.deepEqual(told, ['replace a b', 'live', 'change c', 'change a', 'remove b']);
    assert.deepEqual(
      client.calls.map(({ path, query }) => ({ path, query })),
      [
        { path: '/things', query: { labelSelector: 'a=b' } },
        {
          path: '/things',
          query: {
            labelSelector: 'a=b',
            resourceVersion: 'list-1',
            watch: 'true',
            allowWatchBookmarks: 'true',
          },
        },
      ],
    );
    await end();
  });

  it('goes on where a watch ended, without a new list', async (t) => {
    const { client, body, told, lists } = watching(t);
    (await body(0)).tell('ADDED', object('a', '7'));
    await until(() => told.includes('change a'));
    (await body(0)).end();
    (await body(1)).tell('ADDED', object('b', '8'));
    await until(() => told.includes('change b'));
    assert.equal(client.calls.at(-1)?.query?.resourceVersion, '7');
    assert.equal(lists(), 1);
    assert.ok(!told.includes('stale'));
  });

  it('lists again when the server has forgotten the version', async (t) => {
    const { body, told, lists } = watching(t);
    (await body(0)).tell('ERROR', { code: 410, reason: 'Expired', message: 'too old resource version' });
    await body(1);
    assert.equal(lists(), 2);
    assert.equal(told.filter((what) => what === 'replace').length, 2);
  });

  for (const [what, act] of [
    ['breaks', (body: WatchBody) => body.destroy(new Error('ECONNRESET'))],
    [
      'says an error',
      (body: WatchBody) => {
        body.tell('ERROR', { code: 500, message: 'etcd is away' });
      },
    ],
    ['writes what is no JSON', (body: WatchBody) => body.write('upstream error\n')],
    ['is cut in the middle of a line', (body: WatchBody) => body.end('{"type":"ADDED","obj')],
  ] as [string, (body: WatchBody) => void][]) {
    it(`lists again when a watch ${what}`, async (t) => {
      const { body, told, lists } = watching(t);
      act(await body(0));
      await body(1);
      assert.equal(lists(), 2);
      assert.equal(told.at(-1), 'live');
    });
  }

  it('takes a silent watch for dead after 90 seconds', async (t) => {
    const timers = mockTimers(t);
    const { body, told, lists } = watching(t);
    const first = await body(0);
    await until(() => told.includes('live'));
    timers.tick(89_000);
    assert.equal(first.destroyed, false);
    timers.tick(1000);
    assert.equal(first.destroyed, true);
    await until(() => {
      timers.tick(100);
      return lists() === 2;
    });
  });

  it('keeps a watch that bookmarks keep alive', async (t) => {
    const { body, told } = watching(t);
    const first = await body(0);
    first.tell('BOOKMARK', object('', '1'));
    first.tell('ADDED', object('a', '2'));
    await until(() => told.includes('change a'));
    assert.equal(first.destroyed, false);
  });

  it('waits ever longer for a server that is away, and says that it knows nothing new', async (t) => {
    const timers = mockTimers(t);
    t.mock.method(Math, 'random', () => 0.5);
    const { told, lists, comeBack } = watching(t, () => [], true);
    await until(() => lists() === 1);
    for (const [round, pause] of [100, 200, 400, 800, 1600, 3200, 5000, 5000].entries()) {
      await until(() => told.length === round + 1);
      assert.equal(told.at(-1), 'stale');
      timers.tick(pause - 1);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(lists(), round + 1, `not before ${pause} ms`);
      timers.tick(1);
      await until(() => lists() === round + 2);
    }
    comeBack();
    await until(() => {
      timers.tick(100);
      return told.at(-1) === 'live';
    });
  });

  it('does not hurry a server that ends each watch at once', async (t) => {
    const timers = mockTimers(t);
    t.mock.method(Math, 'random', () => 0.5);
    const { bodies, lists, body } = watching(t);
    const endAll = setInterval(() => {
      for (const each of bodies) if (!each.writableEnded) each.end();
    }, 1);
    t.after(() => {
      clearInterval(endAll);
    });
    await body(0);
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await until(() => bodies[0]?.closed === true);
    for (let turn = 0; turn < 500; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(lists() <= 2, `${lists()} lists without a pause`);
    await until(() => {
      timers.tick(1000);
      return lists() > 3;
    });
  });

  it('stops when it is told to', async (t) => {
    const { end, body, client } = watching(t);
    await body(0);
    await end();
    const { length } = client.calls;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(client.calls.length, length);
  });
});
