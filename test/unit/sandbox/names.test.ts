import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newExecutionId } from '../../../src/request/execution-id.ts';
import { jobName, label, leaseName, ours } from '../../../src/sandbox/names.ts';

/** What Kubernetes takes as the name of an object and as a label's value. */
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

describe('names', () => {
  it('makes a valid name of every id', () => {
    const id = newExecutionId();
    assert.equal(jobName(id), `run-${id}`);
    // The pod's name is the Job's, a hyphen and five characters.
    assert.match(`${jobName(id)}-abcde`, dnsLabel);
  });

  it('makes a valid name of the longest replica name', () => {
    assert.equal(leaseName('one'), 'vivarium-one');
    assert.match(leaseName('a'.repeat(52)), dnsLabel);
  });

  it('keeps the labels that clusters carry', () => {
    assert.deepEqual(label, {
      name: 'app.kubernetes.io/name',
      managedBy: 'app.kubernetes.io/managed-by',
      execution: 'vivarium.dev/execution',
      caller: 'vivarium.dev/caller',
      request: 'vivarium.dev/request',
      replica: 'vivarium.dev/replica',
      pool: 'vivarium.dev/pool',
      role: 'vivarium.dev/role',
      session: 'vivarium.dev/session',
    });
    assert.equal(ours, 'app.kubernetes.io/managed-by=vivarium');
  });
});
