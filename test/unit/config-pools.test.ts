import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, loadConfig, type Config } from '../../src/config.ts';

function load(pools: unknown, more: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ VIVARIUM_POOLS: JSON.stringify(pools), ...more });
}

function faultsOf(pools: unknown, more: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(pools, more);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n');
  }
  return [];
}

const pool = (changes: object = {}) => ({ name: 'a', min: 1, max: 2, ...changes });

describe('pools', () => {
  it('are as other runs where they say nothing else', () => {
    const { pools } = load([pool()], {
      VIVARIUM_IMAGE: 'image:1',
      VIVARIUM_RUNTIME_CLASS: 'kata',
      VIVARIUM_DEFAULT_CPU: '0.5',
      VIVARIUM_DEFAULT_MEMORY_MB: '300',
    });
    assert.deepEqual(pools, [
      {
        name: 'a',
        image: 'image:1',
        runtimeClass: 'kata',
        cpu: 0.5,
        memoryMb: 300,
        preload: [],
        min: 1,
        max: 2,
      },
    ]);
  });

  it('are what they say, an empty runtime class included', () => {
    const given = {
      name: 'science-2',
      image: 'science:2',
      runtimeClass: '',
      cpu: 2,
      memoryMb: 2048,
      preload: ['numpy', 'matplotlib.pyplot', '_private'],
      min: 0,
      max: 1000,
    };
    assert.deepEqual(load([given], { VIVARIUM_RUNTIME_CLASS: 'kata' }).pools, [given]);
  });

  const name = 'pools.0.name: lower-case letters, digits and hyphens, 40 at most';
  const module = 'pools.0.preload.0: the name of a module';
  const table: [what: string, pools: unknown, faults: string[]][] = [
    ['no list', {}, ['pools: Invalid input: expected array, received object']],
    ['no name', [{ min: 1, max: 1 }], ['pools.0.name: Invalid input: expected string, received undefined']],
    ['a name in capitals', [pool({ name: 'A' })], [name]],
    ['a name that ends in a hyphen', [pool({ name: 'a-' })], [name]],
    ['a long name', [pool({ name: 'a'.repeat(41) })], [name]],
    ['a long enough name', [pool({ name: 'a'.repeat(40) })], []],
    ['an unknown field', [pool({ size: 1 })], ['pools.0: Unrecognized key: "size"']],
    ['a module that is a path', [pool({ preload: ['a/b'] })], [module]],
    ['a module that is code', [pool({ preload: ['os; print()'] })], [module]],
    ['no max', [{ name: 'a', min: 1 }], ['pools.0.max: Invalid input: expected number, received undefined']],
    ['a negative min', [pool({ min: -1 })], ['pools.0.min: Too small: expected number to be >=0']],
    ['a max of none', [pool({ min: 0, max: 0 })], ['pools.0.max: Too small: expected number to be >=1']],
    ['two of a name', [pool(), pool({ name: 'b' }), pool()], ['pools: a: there are two of this name']],
    ['min above max', [pool({ min: 3 })], ['pools: a: min 3 is more than max 2']],
    ['too many CPUs', [pool({ cpu: 2.5 })], ['pools: a: cpu 2.5 is more than maxCpu, which is 2']],
    [
      'too much memory',
      [pool({ memoryMb: 4096 })],
      ['pools: a: memoryMb 4096 is more than maxMemoryMb, which is 2048'],
    ],
    ['less memory than the workspace, as a run may ask for', [pool({ memoryMb: 64 })], []],
    [
      'several faults',
      [pool({ cpu: 3, min: 5 })],
      ['pools: a: min 5 is more than max 2', 'pools: a: cpu 3 is more than maxCpu, which is 2'],
    ],
  ];
  for (const [what, pools, faults] of table) {
    it(`${faults.length > 0 ? 'do not take' : 'take'} ${what}`, () => {
      assert.deepEqual(faultsOf(pools), faults);
    });
  }

  it('are measured by the settings that they fall back on', () => {
    assert.deepEqual(faultsOf([pool()], { VIVARIUM_DEFAULT_CPU: '3' }), [
      'defaultCpu: 3 is more than maxCpu, which is 2',
      'pools: a: cpu 3 is more than maxCpu, which is 2',
    ]);
  });

  it('keep a sandbox for half a minute at least', () => {
    assert.deepEqual(faultsOf([], { VIVARIUM_POOL_MAX_AGE_SECONDS: '29' }), [
      'poolMaxAgeSeconds: Too small: expected number to be >=30',
    ]);
  });

  it('reserve a part of a CPU, never none and never more than all', () => {
    assert.deepEqual(faultsOf([], { VIVARIUM_CPU_RESERVED: '0' }), [
      'cpuReserved: Too small: expected number to be >=0.01',
    ]);
    assert.deepEqual(faultsOf([], { VIVARIUM_CPU_RESERVED: '1.1' }), [
      'cpuReserved: Too big: expected number to be <=1',
    ]);
  });
});
