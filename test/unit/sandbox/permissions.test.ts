import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environmentPermissions, permissions, permissionsFor } from '../../../src/sandbox/permissions.ts';

interface Rule {
  groups: string[];
  resources: string[];
  verbs: string[];
  names: string[];
}

const tables = {
  'role-rules.yaml': permissions,
  'role-rules-environments.yaml': environmentPermissions,
};

const all = [...permissions, ...environmentPermissions];

/** The rules of the chart's Role: a list of mappings to flow sequences, and comments. */
function readRules(text: string): Rule[] {
  const field = (rule: string, name: string) =>
    (new RegExp(`${name}: \\[(.*)\\]`).exec(rule)?.[1] ?? '')
      .split(',')
      .map((item) => item.trim().replaceAll("'", ''))
      .filter((item, _, items) => items.length > 1 || item !== '' || name === 'apiGroups');
  return text
    .replaceAll(/^#.*$/gm, '')
    .split(/^- /m)
    .slice(1)
    .map((rule) => ({
      groups: field(rule, 'apiGroups'),
      resources: field(rule, 'resources'),
      verbs: field(rule, 'verbs'),
      names: field(rule, 'resourceNames'),
    }));
}

describe('permissions', () => {
  for (const [file, table] of Object.entries(tables)) {
    it(`is what the Role of the chart grants, no more and no less: ${file}`, () => {
      const expected = table.map(({ group, resource, verbs, names = [] }) => ({
        groups: [group],
        resources: [resource],
        verbs: [...verbs],
        names: [...names],
      }));
      const path = join(import.meta.dirname, '../../../helm/vivarium/files', file);
      assert.deepEqual(readRules(readFileSync(path, 'utf8')), expected);
    });
  }

  it('asks for the records of environments where there are any', () => {
    assert.equal(permissionsFor({ environmentsClaim: '' }), permissions);
    assert.deepEqual(permissionsFor({ environmentsClaim: 'claim' }), all);
  });

  it('asks for nothing that reaches beyond sandboxes', () => {
    for (const { resource, verbs, names } of all) {
      assert.doesNotMatch(resource, /secret|serviceaccount|role|exec|node|namespace|\*/);
      if (resource === 'configmaps') assert.deepEqual(names, ['vivarium-environments']);
      assert.ok(!verbs.includes('*'));
      assert.ok(!verbs.includes('deletecollection'));
    }
  });

  it('says why for each', () => {
    for (const { why } of all) assert.ok(why.length > 10, why);
  });
});
