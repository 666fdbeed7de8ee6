import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingPermissions } from '../../../src/sandbox/access.ts';
import { environmentPermissions, permissions } from '../../../src/sandbox/permissions.ts';
import { fakeClient } from '../support/fake-client.ts';

interface Review {
  spec: {
    resourceAttributes: {
      namespace: string;
      group: string;
      resource: string;
      subresource?: string;
      verb: string;
      name?: string;
    };
  };
}

const { signal } = new AbortController();

describe('missingPermissions', () => {
  it('asks about every verb of every rule', async () => {
    const client = fakeClient({ json: () => ({ status: { allowed: true } }) });
    const rules = [...permissions, ...environmentPermissions];
    assert.deepEqual(await missingPermissions(client, rules, 'sandboxes', signal), []);
    const asked = client.calls.map(({ body }) => {
      const { namespace, group, resource, subresource, verb, name } = (body as Review).spec
        .resourceAttributes;
      assert.equal(namespace, 'sandboxes');
      return [group, subresource === undefined ? resource : `${resource}/${subresource}`, verb, name];
    });
    const expected = rules.flatMap(({ group, resource, verbs, names }) =>
      verbs.map((verb) => [group, resource, verb, names?.[0]]),
    );
    assert.deepEqual(asked, expected);
  });

  it('names what is missing, and takes no answer for a no', async () => {
    const client = fakeClient({
      json: ({ body }) => {
        const { resource, verb } = (body as Review).spec.resourceAttributes;
        if (resource === 'leases' && verb === 'list') return { status: { allowed: false } };
        return resource === 'jobs' && verb === 'get' ? {} : { status: { allowed: true } };
      },
    });
    assert.deepEqual(
      (await missingPermissions(client, permissions, 'sandboxes', signal)).map(
        ({ verb, resource }) => `${verb} ${resource}`,
      ),
      ['get jobs.batch', 'list leases.coordination.k8s.io'],
    );
  });

  it('names the object that a rule is about', async () => {
    const client = fakeClient({ json: () => ({ status: { allowed: false } }) });
    assert.deepEqual(
      (await missingPermissions(client, environmentPermissions, 'sandboxes', signal)).map(
        ({ verb, resource, name }) => [verb, resource, name],
      ),
      [
        ['get', 'configmaps', 'vivarium-environments'],
        ['patch', 'configmaps', 'vivarium-environments'],
      ],
    );
  });
});
