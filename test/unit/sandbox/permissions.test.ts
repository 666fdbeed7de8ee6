import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { permissions } from '../../../src/sandbox/permissions.ts';

interface Rule {
  groups: string[];
  resources: string[];
  verbs: string[];
}

const rulesFile = join(import.meta.dirname, '../../../helm/vivarium/files/role-rules.yaml');

/** The rules of the chart's Role: a list of mappings to flow sequences, and comments. */
function readRules(text: string): Rule[] {
  const field = (rule: string, name: string) =>
    (new RegExp(`${name}: \\[(.*)\\]`).exec(rule)?.[1] ?? '')
      .split(',')
      .map((item) => item.trim().replaceAll("'", ''));
  return text
    .replaceAll(/^#.*$/gm, '')
    .split(/^- /m)
    .slice(1)
    .map((rule) => ({
      groups: field(rule, 'apiGroups'),
      resources: field(rule, 'resources'),
      verbs: field(rule, 'verbs'),
    }));
}

describe('permissions', () => {
  it('is what the Role of the chart grants, no more and no less', () => {
    const expected = permissions.map(({ group, resource, verbs }) => ({
      groups: [group],
      resources: [resource],
      verbs: [...verbs],
    }));
    assert.deepEqual(readRules(readFileSync(rulesFile, 'utf8')), expected);
  });

  it('asks for nothing that reaches beyond sandboxes', () => {
    for (const { resource, verbs } of permissions) {
      assert.doesNotMatch(resource, /secret|serviceaccount|role|exec|node|namespace|\*/);
      assert.ok(!(verbs as readonly string[]).includes('*'));
      assert.ok(!(verbs as readonly string[]).includes('deletecollection'));
    }
  });

  it('says why for each', () => {
    for (const { why } of permissions) assert.ok(why.length > 10, why);
  });
});
