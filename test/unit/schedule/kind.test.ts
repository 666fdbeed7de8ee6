import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choosePool, importsOf, kindOf, policyFor } from '../../../src/schedule/kind.ts';
import { config, poolSettings } from '../support/settings.ts';

const plain = poolSettings({ name: 'plain' });
const science = poolSettings({ name: 'science', preload: ['numpy', 'pandas', 'matplotlib.pyplot'] });
const numpy = poolSettings({ name: 'numpy', preload: ['numpy'] });
const large = poolSettings({ name: 'large', cpu: 2, memoryMb: 1024 });
const other = poolSettings({ name: 'other', image: 'other:1' });
const kata = poolSettings({ name: 'kata', runtimeClass: 'kata' });
const pools = [plain, science, numpy, large, other, kata];
const settings = { ...config(), pools };
const usual = { seconds: 30, cpu: 1, memory_mb: 512 };

interface Row {
  what: string;
  code?: string;
  pool?: string;
  limits?: object;
  among?: typeof pools;
  chosen: string | undefined;
}

const rows: Row[] = [
  { what: 'the limits that all have: the first', chosen: 'plain' },
  { what: 'other limits', limits: { cpu: 2, memory_mb: 1024 }, chosen: 'large' },
  { what: 'limits that no pool has', limits: { cpu: 2 }, chosen: undefined },
  { what: 'no pools', among: [], chosen: undefined },
  { what: 'a name', pool: 'science', chosen: 'science' },
  { what: 'a name, and limits that it has not', pool: 'science', limits: { cpu: 2 }, chosen: undefined },
  { what: 'a name, whatever is imported', pool: 'plain', code: 'import numpy', chosen: 'plain' },
  { what: 'another image by its name', pool: 'other', chosen: 'other' },
  { what: 'another image without a name', among: [other], chosen: undefined },
  { what: 'another runtime class by its name', pool: 'kata', chosen: 'kata' },
  { what: 'another runtime class without a name', among: [kata], chosen: undefined },
  { what: 'one import of one module', code: 'import numpy', chosen: 'science' },
  { what: 'as many imports: the first', code: 'import numpy', among: [numpy, science], chosen: 'numpy' },
  { what: 'more imports', code: 'import numpy\nimport pandas', among: [numpy, science], chosen: 'science' },
  {
    what: 'a part of a package',
    code: 'from matplotlib import pyplot',
    among: [plain, science],
    chosen: 'science',
  },
  { what: 'imports that no pool has', code: 'import json', chosen: 'plain' },
];

describe('choosePool', () => {
  for (const { what, code = '', pool, limits = {}, among = pools, chosen } of rows) {
    it(`takes ${chosen ?? 'none'} for ${what}`, () => {
      const asked = { code, pool };
      const kind = kindOf(asked, { ...usual, ...limits }, { ...settings, pools: among });
      assert.equal(choosePool(asked, kind, among)?.name, chosen);
    });
  }
});

describe('kindOf', () => {
  it('is the image that all have, and the limits of the run', () => {
    assert.deepEqual(kindOf({ code: '', pool: undefined }, { ...usual, cpu: 0.5 }, settings), {
      image: 'vivarium-sandbox:0.1.0',
      runtimeClass: '',
      cpu: 0.5,
      memory_mb: 512,
    });
  });

  it('is the image of the pool that is named, in a size of its own, too', () => {
    assert.deepEqual(kindOf({ code: '', pool: 'other' }, { ...usual, cpu: 2 }, settings), {
      image: 'other:1',
      runtimeClass: '',
      cpu: 2,
      memory_mb: 512,
    });
    assert.equal(kindOf({ code: '', pool: 'kata' }, usual, settings).runtimeClass, 'kata');
  });
});

describe('policyFor', () => {
  const policy = config();

  it('takes its defaults from the pool that is named, and its maxima from the operator', () => {
    const { defaultCpu, defaultMemoryMb, maxCpu, maxMemoryMb } = policyFor(
      { code: '', pool: 'large' },
      policy,
      pools,
    );
    assert.deepEqual([defaultCpu, defaultMemoryMb], [2, 1024]);
    assert.deepEqual([maxCpu, maxMemoryMb], [policy.maxCpu, policy.maxMemoryMb]);
  });

  it('is the operator’s where none is named', () => {
    assert.equal(policyFor({ code: '', pool: undefined }, policy, pools), policy);
  });
});

describe('importsOf', () => {
  const forms: [code: string, modules: string[]][] = [
    ['', []],
    ['import numpy', ['numpy']],
    ['import numpy as np', ['numpy']],
    ['import numpy, pandas', ['numpy', 'pandas']],
    ['import numpy as np, pandas as pd  # both', ['numpy', 'pandas']],
    ['import matplotlib.pyplot as plt', ['matplotlib']],
    ['import os; print(1)', ['os']],
    ['from numpy import array', ['numpy']],
    ['from scipy.stats import norm', ['scipy']],
    ['from numpy import (\n    array,\n    zeros,\n)', ['numpy']],
    ['import\tnumpy\nfrom\tpandas\timport DataFrame', ['numpy', 'pandas']],
    ['def f():\n    import numpy\n\tfrom pandas import Series', ['numpy', 'pandas']],
    ['import a\r\nimport b\r\n', ['a', 'b']],
    ['import _private, __main__', ['_private', '__main__']],
    ['# import numpy', []],
    ['important = 1\nimports = 2\nfromage = 3', []],
    ['print("import numpy")', []],
    ['x = 1; import numpy', []],
  ];
  for (const [code, modules] of forms) {
    it(`finds ${modules.join(' and ') || 'nothing'} in ${JSON.stringify(code)}`, () => {
      assert.deepEqual([...importsOf(code)], modules);
    });
  }

  it('does not find what a relative import names, which is no module of a pool', () => {
    assert.equal(importsOf('from .numpy import array').has('numpy'), false);
  });

  it('takes time in proportion to the code, whatever is in it', () => {
    for (const hostile of [' '.repeat(500_000), 'import ' + ','.repeat(500_000), 'from '.repeat(100_000)]) {
      const began = process.uptime();
      importsOf(hostile);
      assert.ok(process.uptime() - began < 2, hostile.slice(0, 10));
    }
  });
});
