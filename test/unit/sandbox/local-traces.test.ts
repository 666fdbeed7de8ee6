import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builds, type Claim } from '../../../src/schedule/backend.ts';
import { localTraces } from '../../../src/sandbox/local-traces.ts';

const limits = { seconds: 30, cpu: 1, memory_mb: 64 };

function claim(executionId: string, caller = 'alice'): Claim {
  return { executionId, caller, requestKey: undefined, limits };
}

describe('the records of local runs', () => {
  it('are their callers’, and take the place of no other caller’s', () => {
    const traces = localTraces(60);
    const trace = traces.begin(claim('one'));
    traces.end(trace);
    assert.throws(() => traces.begin(claim('one', 'bob')), {
      code: 'invalid_request',
      message: 'There is an execution one already.',
    });
    assert.equal(traces.find('one', 'alice'), trace);
    assert.equal(traces.find('one', ''), trace);
    assert.equal(traces.find('one', 'bob'), undefined);
    const again = traces.begin(claim('one'));
    assert.equal(traces.find('one', 'alice'), again);
  });

  it('keep no build from an id that others can tell', () => {
    const traces = localTraces(60);
    traces.begin(claim('key', 'bob'));
    traces.begin(claim('key', builds));
    assert.equal(traces.find('key', ''), undefined);
    assert.throws(() => traces.begin(claim('key', 'bob')), { code: 'invalid_request' });
  });

  it('are as many as are kept, without those that go on; and none where none is', () => {
    const traces = localTraces(60);
    traces.begin(claim('going'));
    for (let run = 0; run < 40; run += 1) traces.end(traces.begin(claim(`run-${run}`)));
    assert.ok(traces.find('going', ''));
    assert.equal(traces.find('run-0', ''), undefined);
    assert.ok(traces.find('run-39', ''));
    const none = localTraces(0);
    none.end(none.begin(claim('one')));
    assert.equal(none.find('one', ''), undefined);
  });
});
