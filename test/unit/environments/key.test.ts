import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { environmentKey, type Ingredients } from '../../../src/environments/key.ts';
import { executionIdPattern } from '../../../src/request/execution-id.ts';

const numpy = { name: 'numpy', version: '2.1.0', modules: ['numpy'] };
const scipy = { name: 'scipy', version: '1.2.0', modules: ['scipy'] };

const ingredients: Ingredients = {
  facts: { python: '3.13.5', platform: 'linux-x86_64-glibc-2.41', packages: [numpy, scipy] },
  requirements: ['polars', 'requests>=2'],
  index: 'https://index.example.org/simple',
  denied: ['a', 'b'],
};

describe('environmentKey', () => {
  it('has the form of an execution id, for its build is a run', () => {
    assert.match(environmentKey(ingredients), executionIdPattern);
  });

  it('is the same for the same, whatever the order in which it is told', () => {
    const facts = { ...ingredients.facts, packages: [scipy, numpy] };
    const again = environmentKey({ ...structuredClone(ingredients), facts, denied: ['b', 'a'] });
    assert.equal(again, environmentKey(ingredients));
  });

  it('is another for all that an environment depends on', () => {
    const { facts } = ingredients;
    const others: Ingredients[] = [
      { ...ingredients, facts: { ...facts, python: '3.13.6' } },
      { ...ingredients, facts: { ...facts, platform: 'linux-aarch64' } },
      { ...ingredients, facts: { ...facts, packages: [numpy] } },
      { ...ingredients, facts: { ...facts, packages: [numpy, { ...scipy, version: '1.3.0' }] } },
      { ...ingredients, requirements: ['polars'] },
      { ...ingredients, index: 'https://other.example.org/simple' },
      { ...ingredients, denied: ['a'] },
    ];
    const keys = new Set([ingredients, ...others].map(environmentKey));
    assert.equal(keys.size, others.length + 1);
  });
});
