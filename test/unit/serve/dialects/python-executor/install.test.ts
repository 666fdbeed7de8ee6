import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requirementList } from '../../../../../src/request/requirements.ts';
import { ServiceError } from '../../../../../src/result/errors.ts';
import { install, installNoted } from '../../../../../src/serve/dialects/python-executor/install.ts';
import { together } from '../../../../../src/serve/dialects/python-executor/installed.ts';

describe('what is installed together', () => {
  const table: [installed: string[], wanted: string[], all: string[]][] = [
    [[], ['Polars', 'httpx'], ['httpx', 'polars']],
    [['polars==1.0'], ['polars==2.0'], ['polars==2.0']],
    [['polars==1.0'], ['polars'], ['polars==1.0']],
    [['httpx'], ['httpx[http2]'], ['httpx[http2]']],
    [['urllib3[brotli]==2.2.0'], ['urllib3<1.26.19'], ['urllib3[brotli]<1.26.19']],
    [['a[x]==1'], ['a[y]'], ['a[x,y]==1']],
    [['a-b'], ['A.B>=1'], ['a-b>=1']],
    [[], ['a>1', 'a<2'], ['a<2,>1']],
  ];
  for (const [installed, wanted, all] of table) {
    it(`${JSON.stringify(installed)} and ${JSON.stringify(wanted)}`, () => {
      assert.deepEqual(together(installed, wanted), all);
    });
  }
});

/** An index that lacks a package, on a server that denies another. */
function installer(code: 'build_failed' | 'index_unavailable' = 'build_failed') {
  const builds: string[][] = [];
  return {
    builds,
    schema: requirementList({ packagesAllowed: [], packagesDenied: ['denied'] }),
    signal: new AbortController().signal,
    overdue: new AbortController().signal,
    build(requirements: string[]) {
      builds.push(requirements);
      const isLacking = requirements.includes('lacking');
      return isLacking ? Promise.reject(new ServiceError(code, 'It is not there.')) : Promise.resolve();
    },
  };
}

describe('packages', () => {
  it('are installed at one time', async () => {
    const one = installer();
    const { installations, installed } = await install(['b', 'a'], ['z'], one);
    assert.deepEqual(one.builds, [['a', 'b', 'z']]);
    assert.deepEqual(installed, ['a', 'b', 'z']);
    assert.deepEqual(installations, [
      { package: 'b', outcome: 'installed' },
      { package: 'a', outcome: 'installed' },
    ]);
  });

  it('are installed one after the other where one cannot be had', async () => {
    const one = installer();
    const { installations, installed } = await install(['a', 'lacking', 'b'], [], one);
    assert.deepEqual(one.builds, [['a', 'b', 'lacking'], ['a'], ['a', 'lacking'], ['a', 'b']]);
    assert.deepEqual(installed, ['a', 'b']);
    assert.deepEqual(
      installations.map(({ package: name, outcome }) => `${name} ${outcome}`),
      ['a installed', 'lacking failed', 'b installed'],
    );
  });

  it('are not tried again where the index is away', async () => {
    const one = installer('index_unavailable');
    const { installations, installed } = await install(['a', 'lacking'], ['z'], one);
    assert.equal(one.builds.length, 1);
    assert.deepEqual(installed, ['z']);
    assert.deepEqual(
      installations.map(({ outcome }) => outcome),
      ['failed', 'failed'],
    );
  });

  it('are checked before they reach anything', async () => {
    const one = installer();
    const { installations, installed } = await install(['--help', 'denied', 'a b; rm -rf /'], [], one);
    assert.deepEqual(one.builds, []);
    assert.deepEqual(installed, []);
    for (const { outcome } of installations) assert.equal(outcome, 'failed');
  });

  it('have one time for all of them', async () => {
    const one = installer();
    const time = new AbortController();
    const build = async (requirements: string[]) => {
      await one.build(requirements);
      time.abort();
    };
    const timed = { ...one, overdue: time.signal, build };
    const { installations, installed } = await install(['lacking', 'a', '-x', 'b'], [], timed);
    assert.deepEqual(one.builds, [['a', 'b', 'lacking'], ['lacking'], ['a']]);
    assert.deepEqual(
      installations.map(({ outcome }) => outcome),
      ['failed', 'installed', 'failed', 'timed_out'],
    );
    assert.deepEqual(installed, ['a']);
  });

  it('end with their caller', async () => {
    const one = installer();
    const away = new Error('away');
    await assert.rejects(
      install(['lacking'], [], { ...one, signal: AbortSignal.abort(away) }),
      (error) => error === away,
    );
  });
});

describe('packages that are noted', () => {
  /** Another replica notes `b` once, right after the first reading. */
  function shared() {
    const noted = ['z'];
    let others: string[] = ['b'];
    return {
      noted,
      async read() {
        await Promise.resolve();
        const read = [...noted];
        noted.push(...others);
        others = [];
        return read;
      },
      async add(requirements: readonly string[]) {
        await Promise.resolve();
        noted.push(...requirements);
      },
    };
  }

  it('are built together with what another replica noted meanwhile', async () => {
    const one = installer();
    const notes = shared();
    assert.deepEqual(await installNoted(['a'], notes, one), [{ package: 'a', outcome: 'installed' }]);
    assert.deepEqual(one.builds, [
      ['a', 'z'],
      ['a', 'b', 'z'],
    ]);
    assert.deepEqual(notes.noted, ['z', 'b', 'a']);
  });

  it('are not those that do not go with that', async () => {
    const one = installer();
    const notes = shared();
    const build = (requirements: string[]) =>
      requirements.includes('b')
        ? Promise.reject(new ServiceError('build_failed', 'They conflict.'))
        : Promise.resolve();
    const [installation] = await installNoted(['a'], notes, { ...one, build });
    assert.equal(installation?.outcome, 'failed');
    assert.deepEqual(notes.noted, ['z', 'b']);
  });
});
