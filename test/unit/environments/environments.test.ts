import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEnvironments, sandboxPrograms } from '../../../src/environments/environments.ts';
import type { BuildRequest } from '../../../src/environments/build.ts';
import { executionIdPattern } from '../../../src/request/execution-id.ts';
import {
  type EnvironmentRecord,
  type EnvironmentRecords,
  type Program,
  SandboxLost,
} from '../../../src/schedule/backend.ts';
import { emit, fakeBackend } from '../support/fake-backend.ts';
import { err, exit, numbered, out, started } from '../support/frames.ts';
import { config } from '../support/settings.ts';

const facts = {
  python: '3.13.5',
  platform: 'linux-x86_64',
  packages: [{ name: 'numpy', version: '2.1.0', modules: ['numpy'] }],
};
const asker = { signal: new AbortController().signal, onProgress: () => undefined };
const created = '2026-11-21T12:00:00.000Z';

interface Behaviour {
  /** What a build answers, beside what it was asked for. */
  built?: object;
  /** The words with which it fails. */
  fails?: string;
  /** Resolves when builds may end. */
  wait?: Promise<void>;
  there?: Record<string, EnvironmentRecord>;
  /** How often nothing can be forgotten, because others are at it. */
  conflicts?: number;
}

function environmentsOf({ built = {}, fails, wait, there = {}, conflicts = 0 }: Behaviour = {}) {
  const stored = new Map(Object.entries(there));
  const events: string[] = [];
  const requests: BuildRequest[] = [];
  let refusals = conflicts;
  const records: EnvironmentRecords = {
    all: () => Promise.resolve({ records: new Map(stored), version: String(stored.size) }),
    put: (key, record) => Promise.resolve(void stored.set(key, record)),
    forget(keys) {
      refusals -= 1;
      if (refusals >= 0) return Promise.resolve(false);
      for (const key of keys) stored.delete(key);
      return Promise.resolve(true);
    },
  };
  async function* frames({ stdin, environment }: Program) {
    if (stdin === '') {
      yield* emit(
        numbered(
          started,
          out(JSON.stringify({ ...facts, ...(environment && { python: environment }) })),
          exit(),
        ),
      );
      return;
    }
    const request = JSON.parse(stdin) as BuildRequest;
    requests.push(request);
    await wait;
    const { key, requirements } = request;
    const answer = {
      key,
      requirements,
      bytes: 10,
      created,
      shadows: [],
      existing: false,
      unrecorded: [],
      ...built,
    };
    yield* emit(
      fails === undefined
        ? numbered(started, err('Resolving\n'), out(JSON.stringify(answer)), exit())
        : numbered(started, err(`\n${fails}\n`), exit({ exit_code: 1 })),
    );
  }
  const backend = { ...fakeBackend({ frames }), environments: records };
  const environments = createEnvironments(backend, config(), {
    built: (_key, outcome) => events.push(outcome),
    evicted: (keys) => events.push(`evicted ${keys.join()}`),
    unrecorded: (key) => events.push(`unrecorded ${key}`),
  });
  return { backend, environments, events, requests, stored };
}

describe('createEnvironments', () => {
  it('builds once what ten ask for, and then no more', async () => {
    const { environments, requests, stored, events } = environmentsOf();
    const prepare = () => environments.prepare(['polars'], asker);
    const answers = await Promise.all(Array.from({ length: 10 }, prepare));
    const [{ key } = assert.fail()] = answers;
    assert.match(key, executionIdPattern);
    assert.deepEqual(answers, Array(10).fill({ key, path: `/environments/${key}`, shadows: [], created }));
    await prepare();
    assert.equal(requests.length, 1);
    assert.deepEqual(events, ['built']);
    assert.deepEqual([...stored.keys()], [key]);
  });

  it('tells the builder what it goes by', async () => {
    const { environments, requests } = environmentsOf();
    await environments.prepare(['polars'], asker);
    const { key, ...request } = requests[0] ?? assert.fail();
    assert.match(key, executionIdPattern);
    assert.deepEqual(request, {
      root: '/environments',
      requirements: ['polars'],
      index: 'https://pypi.org/simple',
      denied: [],
      evict: [],
      recorded: [],
      max_bytes: 2048 * 1_048_576,
      seconds: 300,
    });
  });

  it('makes another for another image', async () => {
    const { environments, backend } = environmentsOf();
    await environments.prepare(['polars'], { ...asker, image: 'other:1' });
    assert.deepEqual(
      backend.opened.map(({ kind, build }) => [kind.image, build]),
      [
        ['other:1', false],
        ['other:1', true],
      ],
    );
  });

  it('hands on why there is none, and does not try again at once', async () => {
    const { environments, requests, events } = environmentsOf({ fails: 'no such package' });
    for (let times = 0; times < 2; times += 1) {
      await assert.rejects(environments.prepare(['x'], asker), {
        code: 'build_failed',
        message: 'no such package',
      });
    }
    assert.equal(requests.length, 1);
    assert.deepEqual(events, ['build_failed']);
  });

  it('uses what another replica has built of what failed here', async () => {
    const { environments, requests, stored } = environmentsOf({ fails: 'no such package' });
    await assert.rejects(environments.prepare(['x'], asker), { code: 'build_failed' });
    const { key } = requests[0] ?? assert.fail();
    stored.set(key, { requirements: ['x'], bytes: 10, created, used: created, shadows: [] });
    assert.equal((await environments.prepare(['x'], asker)).key, key);
  });

  it('says which packages of the image are replaced', async () => {
    const { environments } = environmentsOf({ built: { shadows: ['numpy'] } });
    assert.deepEqual((await environments.prepare(['x'], asker)).shadows, ['numpy']);
    assert.deepEqual((await environments.prepare(['x'], asker)).shadows, ['numpy']);
  });

  it('builds again what a sandbox did not find', async () => {
    const { environments, requests, stored } = environmentsOf();
    const { key } = await environments.prepare(['x'], asker);
    await environments.lost(key);
    assert.equal(stored.size, 0);
    await environments.prepare(['x'], asker);
    assert.equal(requests.length, 2);
  });

  it('puts on record what a build finds that nobody has', async () => {
    const unrecorded = [{ key: 'other', requirements: ['y'], bytes: 5, created, shadows: [] }];
    const { environments, stored } = environmentsOf({ built: { unrecorded } });
    await environments.prepare(['x'], asker);
    assert.deepEqual(stored.get('other'), {
      requirements: ['y'],
      bytes: 5,
      created,
      shadows: [],
      used: created,
    });
  });

  it('bounds how many are built and how many wait', async () => {
    const { promise: wait, resolve } = Promise.withResolvers<undefined>();
    const { environments, requests } = environmentsOf({ wait });
    const names = Array.from({ length: 18 }, (_, at) => `package-${at}`);
    const answers = names.map((name) => environments.prepare([name], asker));
    const beyond = environments.prepare(['one-more'], asker);
    await assert.rejects(beyond, {
      code: 'queue_full',
      message: /2 environments are being built and 16 wait/,
    });
    assert.equal(requests.length, 2);
    resolve(undefined);
    await Promise.all(answers);
    assert.equal(requests.length, 18);
  });

  it('has none where the backend has no place for them', async () => {
    const environments = createEnvironments(fakeBackend(), config(), {
      built: () => undefined,
      evicted: () => undefined,
      unrecorded: () => undefined,
    });
    await assert.rejects(environments.prepare(['x'], asker), { code: 'environments_unavailable' });
    await environments.lost('key');
    await environments.close();
  });
});

describe('createEnvironments, where there is no room', () => {
  const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const old = { requirements: ['y'], bytes: 9000 * 1_048_576, created, used: anHourAgo, shadows: [] };

  it('forgets what makes way, and has the build take it away', async () => {
    const { environments, requests, events, stored } = environmentsOf({ there: { old } });
    const { key } = await environments.prepare(['x'], asker);
    assert.deepEqual([requests[0]?.evict, requests[0]?.recorded], [['old'], ['old']]);
    assert.deepEqual(events, ['evicted old', 'built']);
    assert.deepEqual([...stored.keys()], [key]);
  });

  it('plans again where others changed the records, and leaves it to them in the end', async () => {
    const twice = environmentsOf({ there: { old }, conflicts: 2 });
    await twice.environments.prepare(['x'], asker);
    assert.deepEqual(twice.requests[0]?.evict, ['old']);
    const always = environmentsOf({ there: { old }, conflicts: 100 });
    await always.environments.prepare(['x'], asker);
    assert.deepEqual([always.requests[0]?.evict, always.requests[0]?.recorded], [[], ['old']]);
  });
});

describe('sandboxPrograms', () => {
  it('bounds their output by a limit of their own', async () => {
    const backend = fakeBackend({ frames: () => emit(numbered(started, exit())) });
    const run = sandboxPrograms(backend, config());
    await run('image', { code: '', environment: null }, asker.signal);
    assert.equal(backend.programs[0]?.outputBytes, 1_048_576);
  });

  it('tells a sandbox that was lost as a failure of the service', async () => {
    // eslint-disable-next-line @typescript-eslint/require-await -- it fails before its first frame
    const frames = async function* () {
      throw new SandboxLost('node_lost', 'The node is gone.');
    };
    const run = sandboxPrograms(fakeBackend({ frames }), config());
    await assert.rejects(run('image', { code: '', environment: null }, asker.signal), {
      code: 'sandbox_failed',
      message: 'The sandbox that lists packages was lost: The node is gone.',
    });
  });
});
