/** Environments: packages that a request names are there, built once, from one index, and by nobody but the builder. */
import assert from 'node:assert/strict';
import { readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import { command } from './harness/command.ts';
import { connect, type Caller, type ToolError } from './harness/clients.ts';
import { environmentsPlace, type Place } from './harness/environments.ts';
import { withServer } from './harness/fixture.ts';
import { streamRun } from './harness/rest.ts';
import { backends, environment, startServer, type Server } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';
import { until } from './harness/until.ts';

const says = (module: string) => `import ${module}; print(${module}.__version__)`;

/** A sandbox that is ready, and has imported a package that a test replaces. */
const warm = {
  VIVARIUM_POOLS: JSON.stringify([{ name: 'warm', min: 1, max: 2, preload: ['certifi'] }]),
};

/** How the builds of a server ended. */
const outcomes = ({ log }: Server) =>
  log.filter(({ msg }) => msg === 'environment').map(({ outcome }) => outcome);

const wheelsOf = ({ index }: Place, name: string) =>
  index.requests.filter((path) => path.startsWith(`/files/${name}/`) && path.endsWith('.whl'));

for (const backend of backends) {
  describe(`environments: ${backend}`, () => {
    let place: Place;
    let server: Server;
    let caller: Caller;
    const undo = openUndo();
    before(async () => {
      place = await environmentsPlace(backend, 'vivarium-e2e-environments');
      undo.add(() => place.close());
      server = await startServer(backend, { ...place.settings, ...(backend === 'kubernetes' && warm) });
      undo.add(() => server.stop());
      caller = await connect('v2 modern', server.mcpUrl);
      undo.add(() => caller.close());
    });
    after(() => undo.run());

    it('the first run waits for the build and hears how far it is; the next one waits for nothing', async () => {
      const request = { code: says('six'), requirements: ['six==1.17.0'] };
      const events = await streamRun(server.url, request).rest();
      const progress = events.filter(({ event }) => event === 'building').map(({ data }) => data.message);
      assert.ok(progress.includes('Resolving six==1.17.0'), JSON.stringify(events));
      assert.ok(
        progress.some((line) => String(line).startsWith('Installed 1 package')),
        JSON.stringify(progress),
      );
      const cold = events.at(-1)?.data as unknown as ExecutionResult;
      assert.deepEqual([cold.stdout, cold.status], ['1.17.0\n', 'succeeded'], cold.stderr);
      assert.ok((cold.timings.environment ?? 0) > 0.05, String(cold.timings.environment));
      const asked = place.index.requests.length;
      const warm = await caller.run(request);
      assert.equal(warm.stdout, '1.17.0\n');
      assert.equal(place.index.requests.length, asked);
    });

    it('ten that ask at one time wait for one build, however they spell it', async () => {
      const built = outcomes(server).length;
      const spellings = [
        ['idna==3.10', 'sniffio'],
        ['Sniffio', 'IDNA==3.10'],
      ];
      const runs = Array.from({ length: 10 }, (_, at) =>
        caller.run({ code: says('idna'), requirements: spellings[at % 2] ?? [] }),
      );
      const answers = await Promise.all(runs);
      assert.deepEqual(
        answers.map(({ stdout }) => stdout),
        Array(10).fill('3.10\n'),
      );
      await until('a build is logged', () => outcomes(server).length > built, 10);
      assert.deepEqual(outcomes(server).slice(built), ['built']);
      assert.equal(wheelsOf(place, 'idna').length, 1);
    });

    it('what cannot be had fails with the resolver’s words, and the code does not run', async () => {
      const run = caller.run({ code: 'print(1)', requirements: ['six==99'] });
      await assert.rejects(run, (error: ToolError) => {
        assert.equal(error.code, 'build_failed');
        assert.match(error.message, /there is no version of six==99/);
        return true;
      });
    });

    it('who runs has no network and can change no environment', async () => {
      const { hostname, port } = new URL(place.index.url);
      const { stdout, stderr } = await caller.run({
        code: `import os, socket, six
folder = os.path.dirname(six.__file__)
for attempt in (
    lambda: socket.create_connection(('${hostname}', ${port}), timeout=3),
    lambda: open(os.path.join(folder, 'six.py'), 'a'),
    lambda: os.mkdir('/environments/mine'),
    lambda: os.listdir('/index'),
):
    try:
        attempt(); print('done')
    except OSError:
        print('refused')`,
        requirements: ['six==1.17.0'],
      });
      assert.equal(stdout, 'refused\n'.repeat(4), stderr);
    });

    if (backend === 'kubernetes') {
      it('doctor looks at what builds need', async () => {
        const env = environment(backend, place.settings);
        const { code, stdout } = await command(process.execPath, ['src/main.ts', 'doctor'], { env });
        assert.equal(code, 0, stdout);
        assert.match(stdout, /the cluster takes the Job of a build/);
        assert.match(stdout, /their records, ConfigMap vivarium-environments/);
      });
    }

    it('a package of the image is replaced, though a sandbox that waits has imported it', async () => {
      const { stdout, stderr } = await caller.run({
        code: says('certifi'),
        requirements: ['certifi==2025.1.31'],
      });
      assert.equal(stdout, '2025.01.31\n', stderr);
    });

    it('list_packages tells what an environment has besides', async () => {
      const { structuredContent } = await caller.tool('list_packages', { requirements: ['six==1.17.0'] });
      const { packages } = structuredContent as { packages: { name: string; version: string }[] };
      assert.deepEqual(
        packages.find(({ name }) => name === 'six'),
        { name: 'six', version: '1.17.0' },
      );
    });

    it('a second server finds what the first has built, and follows what it builds', () =>
      withServer(backend, place.settings, async (other, second) => {
        const known = await other.run({ code: says('six'), requirements: ['six==1.17.0'] });
        assert.equal(known.stdout, '1.17.0\n', known.stderr);
        assert.deepEqual(outcomes(second), []);
        const request = { code: says('six'), requirements: ['six==1.16.0'] };
        const both = await Promise.all([caller.run(request), other.run(request)]);
        assert.deepEqual(
          both.map(({ stdout }) => stdout),
          ['1.16.0\n', '1.16.0\n'],
        );
      }));
  });

  describe(`environments from a private index: ${backend}`, () => {
    const password = 'correct:horse/battery';
    let place: Place;
    const undo = openUndo();
    before(async () => {
      const credentials = { user: 'reader', password };
      place = await environmentsPlace(backend, 'vivarium-e2e-private', { credentials, tls: true });
      undo.add(() => place.close());
    });
    after(() => undo.run());

    const request = { code: says('six'), requirements: ['six==1.17.0'] };

    it('builds with its credentials and its authority, which nobody gets to see', async () => {
      await withServer(backend, place.settings, async (caller, server) => {
        const messages: string[] = [];
        const { stdout, stderr } = await caller.run(request, {
          onProgress: (message) => messages.push(message),
        });
        assert.equal(stdout, '1.17.0\n', stderr);
        const failed = await caller.run({ code: '', requirements: ['six==99'] }).catch(String);
        const everything = JSON.stringify([messages, failed, server.log]);
        assert.ok(!everything.includes(password) && !everything.includes(encodeURIComponent(password)));
      });
    });

    it('builds nothing without them', async () => {
      const settings = { ...place.settings, VIVARIUM_PACKAGE_INDEX_CREDENTIALS: '' };
      await withServer(backend, settings, async (caller) => {
        // Another set, for what is there needs no index.
        const run = caller.run({ ...request, requirements: ['six==1.16.0'] });
        await assert.rejects(run, { code: 'index_unavailable' });
      });
    });
  });
}

describe('environments that go: local', () => {
  let place: Place;
  let server: Server;
  let caller: Caller;
  const undo = openUndo();
  before(async () => {
    place = await environmentsPlace('local', '');
    undo.add(() => place.close());
    server = await startServer('local', {
      ...place.settings,
      VIVARIUM_ENVIRONMENT_MB: '16',
      VIVARIUM_ENVIRONMENTS_MB: '16',
    });
    undo.add(() => server.stop());
    caller = await connect('v2 modern', server.mcpUrl);
    undo.add(() => caller.close());
  });
  after(() => undo.run());
  const use = (version: string) =>
    caller.run({ code: says('six'), requirements: [`six==${version}`] }).then(({ stdout }) => stdout);
  const there = async () => (await readdir(place.folder)).filter((name) => !name.startsWith('.'));

  it('one that is unused makes way for another, and one in use does not', async () => {
    await use('1.17.0');
    const [unused = ''] = await there();
    await use('1.16.0');
    assert.equal((await there()).length, 2);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(place.folder, unused, 'environment.json'), anHourAgo, anHourAgo);
    await use('1.15.0');
    const left = await there();
    assert.equal(left.length, 2);
    assert.ok(!left.includes(unused));
  });

  it('one that somebody has deleted is built again', async () => {
    for (const key of await there()) await rm(join(place.folder, key), { recursive: true });
    assert.equal(await use('1.16.0'), '1.16.0\n');
  });
});
