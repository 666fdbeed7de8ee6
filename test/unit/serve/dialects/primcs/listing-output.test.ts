import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SandboxLost } from '../../../../../src/schedule/backend.ts';
import { listingOutput } from '../../../../../src/serve/dialects/primcs/tools.ts';
import { forever } from '../../../support/blobs.ts';
import { memoryWorkspace } from '../../../support/memory-workspace.ts';

describe('listingOutput', () => {
  it('says how many more files there are than are listed', async () => {
    const output = listingOutput();
    const list = () => Promise.resolve({ entries: [], left_out: 7 });
    await output.after({ ...memoryWorkspace().files, list }, forever);
    assert.deepEqual(output.lost, ['7 more files in output/']);
  });

  it('says that the files went with the sandbox', async () => {
    const output = listingOutput();
    const gone = new SandboxLost('evicted', 'It was evicted.');
    const list = () => Promise.reject(gone);
    await assert.rejects(output.after({ ...memoryWorkspace().files, list }, forever), gone);
    assert.deepEqual(output.lost, ['all that was not read before the sandbox was lost']);
  });
});
