/** A session lives on one replica and works through all of them, for its caller alone. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../free-port.ts';
import { connect, kinds, type Caller, type ClientKind, ToolError, withCaller } from './harness/clients.ts';
import { jobs, ofReplica } from './harness/cluster.ts';
import { createSession, fetchAs, session } from './harness/sessions.ts';
import { both, startServer, type Server, type Settings } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';
import { until } from './harness/until.ts';

const header = 'x-forwarded-user';
const refusedAs =
  (code: string, message = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof ToolError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };

/** A replica that the others reach. */
async function startReplica(settings: Settings = {}): Promise<Server> {
  const port = String(await freePort());
  return startServer('kubernetes', {
    VIVARIUM_CALLER_HEADER: header,
    VIVARIUM_PORT: port,
    VIVARIUM_ADVERTISE_URL: `http://127.0.0.1:${port}`,
    VIVARIUM_SESSIONS_PER_CALLER: '3',
    ...settings,
  });
}

const clientOf = (server: Server, user: string, kind: ClientKind = 'v2 modern') =>
  connect(kind, server.mcpUrl, { fetch: fetchAs(header, user) });

describe('a session on another replica', { concurrency: 2 }, () => {
  const undo = openUndo();
  let [owner, other]: (Server | undefined)[] = [];
  let ann: Caller;
  before(async () => {
    [owner, other] = await both(startReplica(), startReplica());
    const [one, two] = [owner, other];
    undo.add(() => one.stop());
    undo.add(() => two.stop());
    ann = await clientOf(owner, 'ann');
    undo.add(() => ann.close());
  });
  after(() => undo.run());

  for (const kind of kinds) {
    it(`is run in, listed, read, written and ended: ${kind}`, async () => {
      assert.ok(other);
      const far = await clientOf(other, 'ann', kind);
      try {
        const near = await createSession(ann);
        const here = session(far, near.id);
        const result = await here.run(`x = 41\nopen('output/a.txt', 'w').write('a')\nprint('far')\nx`);
        assert.deepEqual([result.stdout, result.value?.text], ['far\n', '41']);
        const uri = `artifact://${result.artifacts[0]?.id}`;
        assert.equal((await far.read(uri)).text, 'a');
        assert.equal((await near.run('print(x + 1)')).stdout, '42\n');
        await here.write('data/b.txt', 'ü');
        assert.equal((await near.read('data/b.txt')).content, 'ü');
        assert.deepEqual(
          (await here.list('data')).entries.map(({ path }) => path),
          ['data/b.txt'],
        );
        assert.equal((await here.read('output/a.txt')).content, 'a');
        await assert.rejects(here.read('none'), refusedAs('file_not_found'));
        await here.end();
        for (const gone of [near, here]) await assert.rejects(gone.run('1'), refusedAs('session_ended'));
        assert.equal((await far.read(uri)).text, 'a');
      } finally {
        await far.close();
      }
    });
  }

  it('tells how a run fares, and its run is cancelled from there', async () => {
    assert.ok(other);
    const far = await clientOf(other, 'ann');
    try {
      const near = await createSession(ann);
      await near.write('a.txt', 'a');
      const stop = new AbortController();
      const onProgress = (message: string) => {
        // Which lines are told is a matter of time.
        if (/: line \d+$/.test(message)) stop.abort();
      };
      const code = `import time
for n in range(600):
    print('line', n)
    time.sleep(0.6)`;
      await assert.rejects(
        session(far, near.id).run(code, { timeout_seconds: 100 }, { signal: stop.signal, onProgress }),
      );
      // Its place is free at once.
      assert.equal((await near.run(`print(open('a.txt').read())`, { timeout_seconds: 10 })).stdout, 'a\n');
      await near.end();
    } finally {
      await far.close();
    }
  });

  it('has a run of its own replica cancelled through another, by its caller', async () => {
    const near = await createSession(ann);
    const begun = Promise.withResolvers<string>();
    const onProgress = (message: string) => {
      const [, id] = /^starting (.+)$/.exec(message) ?? [];
      if (id !== undefined) begun.resolve(id);
    };
    const run = near.run('import time\ntime.sleep(100)', { timeout_seconds: 100 }, { onProgress });
    const url = `${other?.url}/v1/executions/${await begun.promise}`;
    const cancel = (user: string) => fetch(url, { method: 'DELETE', headers: { [header]: user } });
    assert.equal((await cancel('bob')).status, 404);
    assert.equal((await cancel('ann')).status, 202);
    assert.equal((await run).status, 'cancelled');
    await near.end();
  });

  it('is its caller’s alone: its variables, files and artifacts', async () => {
    assert.ok(owner && other);
    const near = await createSession(ann);
    const { artifacts } = await near.run(`secret = 1\nopen('output/a.txt', 'w').write('a')`);
    for (const server of [owner, other]) {
      const bob = await clientOf(server, 'bob');
      try {
        const stolen = session(bob, near.id);
        await assert.rejects(stolen.run('print(secret)'), refusedAs('not_found'));
        await assert.rejects(stolen.list(), refusedAs('not_found'));
        await assert.rejects(stolen.read('output/a.txt'), refusedAs('not_found'));
        await assert.rejects(stolen.write('a', 'a'), refusedAs('not_found'));
        await assert.rejects(stolen.end(), refusedAs('not_found'));
        await assert.rejects(bob.read(`artifact://${artifacts[0]?.id}`), /There is no artifact/);
      } finally {
        await bob.close();
      }
    }
    assert.equal((await near.run('print(secret)')).stdout, '1\n');
    await near.end();
  });

  it('counts for its caller on all replicas', async () => {
    assert.ok(other);
    const [near, far] = [await clientOf(owner ?? other, 'cy'), await clientOf(other, 'cy')];
    try {
      const mine = [await createSession(near), await createSession(far), await createSession(near)];
      await assert.rejects(createSession(far), refusedAs('too_many_sessions', /3/));
      await mine[0]?.end();
      mine.push(await createSession(far));
      await Promise.all(mine.slice(1).map((each) => each.end()));
    } finally {
      await Promise.all([near.close(), far.close()]);
    }
  });
});

describe('a replica that holds a session', { concurrency: 2 }, () => {
  /** A session on a replica, as seen from another. */
  async function held(use: (setting: { owner: Server; id: string; far: Caller }) => Promise<void>) {
    const [owner, other] = await both(startReplica(), startReplica());
    const withAnn = ({ mcpUrl }: Server, test: (caller: Caller) => Promise<void>) =>
      withCaller('v2 modern', mcpUrl, test, { fetch: fetchAs(header, 'ann') });
    try {
      await withAnn(owner, (near) =>
        withAnn(other, async (far) => {
          const { id, run } = await createSession(near);
          await run('x = 1');
          await use({ owner, id, far });
        }),
      );
    } finally {
      await Promise.all([owner.stop(), other.stop()]);
    }
  }

  it('is restarted: that is told plainly, and nothing is left', async () => {
    await held(async ({ owner, id, far }) => {
      await owner.stop();
      await assert.rejects(session(far, id).run('print(x)'), refusedAs('session_ended', /restarted/));
      await assert.rejects(session(far, id).list(), refusedAs('session_ended', /restarted/));
      await until('its record goes', async () => (await jobs(ofReplica(owner.replica))).length === 0, 120);
    });
  });

  it('is killed: it is said that it cannot be reached, and then that it is not there', async () => {
    await held(async ({ owner, id, far }) => {
      owner.kill('SIGKILL');
      await until('the server has ended', owner.hasEnded, 10);
      await assert.rejects(session(far, id).run('print(x)'), refusedAs('session_unreachable'));
      await until('its Job goes', async () => (await jobs(ofReplica(owner.replica))).length === 0, 90);
      await assert.rejects(session(far, id).run('print(x)'), refusedAs('not_found'));
    });
  });
});
