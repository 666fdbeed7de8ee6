import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingPermissions } from '../../../src/sandbox/access.ts';
import { permissions } from '../../../src/sandbox/permissions.ts';
import { fakeClient } from '../support/fake-client.ts';

interface Review {
  spec: {
    resourceAttributes: {
      namespace: string;
      group: string;
      resource: string;
      subresource?: string;
      verb: string;
    };
  };
}

const { signal } = new AbortController();

describe('missingPermissions', () => {
  it('asks about every verb of every rule', async () => {
    const client = fakeClient({ json: () => ({ status: { allowed: true } }) });
    assert.deepEqual(await missingPermissions(client, 'sandboxes', signal), []);
    const asked = client.calls.map(({ body }) => {
      const { namespace, group, resource, subresource, verb } = (body as Review).spec.resourceAttributes;
      assert.equal(namespace, 'sandboxes');
      return [group, subresource === undefined ? resource : `${resource}/${subresource}`, verb];
    });
    const expected = permissions.flatMap(({ group, resource, verbs }) =>
      verbs.map((verb) => [group, resource, verb]),
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
      (await missingPermissions(client, 'sandboxes', signal)).map(
        ({ verb, resource }) => `${verb} ${resource}`,
      ),
      ['get jobs.batch', 'list leases.coordination.k8s.io'],
    );
  });
});
