import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Blobs } from '../../src/artifacts/blobs.ts';
import { createCollector } from '../../src/artifacts/collect.ts';
import { folderBlobs } from '../../src/artifacts/folder.ts';
import { createArtifactStore } from '../../src/artifacts/store.ts';
import { newExecutionId } from '../../src/request/execution-id.ts';
import { s3Fixture } from '../s3/fixture.ts';
import { forever, temporaryFolder } from '../unit/support/blobs.ts';

const s3 = s3Fixture();
const MB = 1_000_000;
const pieceBytes = 12_000;
const base64 = Buffer.alloc(pieceBytes, 'artifact').toString('base64');

/** Sends a file of so many bytes through a collector. Returns the most memory of this process (RSS) on the way, in MB. */
async function sendFile(blobs: Blobs, size: number): Promise<number> {
  const collector = createCollector(createArtifactStore(blobs, { maxAgeSeconds: 60 }), {
    executionId: newExecutionId(),
    caller: '',
    urlOf: (id) => id,
    signal: forever,
  });
  let most = 0;
  await collector.add({ seq: 0, type: 'file', kind: 'output', path: 'big', size });
  for (let sent = 0; sent < size; sent += pieceBytes) {
    await collector.add({ seq: 0, type: 'data', base64 });
    if (sent % MB === 0) most = Math.max(most, process.memoryUsage.rss());
  }
  await collector.add({ seq: 0, type: 'file_end', size });
  const [artifact] = await collector.finish();
  assert.deepEqual([artifact?.size, artifact?.error], [size, null]);
  return most / MB;
}

/** What passes through must not stay: 180 MB more may not need more than the garbage of a moment. */
async function staysFlat(blobs: Blobs, say: (line: string) => void): Promise<void> {
  const small = await sendFile(blobs, 60 * MB);
  const began = performance.now();
  const large = await sendFile(blobs, 240 * MB);
  const seconds = (performance.now() - began) / 1000;
  say(
    `RSS ${small.toFixed(0)} MB with 60 MB, ${large.toFixed(0)} MB with 240 MB, in ${seconds.toFixed(1)} s`,
  );
  assert.ok(large - small < 64, `RSS grew from ${small} to ${large} MB`);
}

describe('an artifact of 240 MB on its way', () => {
  it('to S3 does not stay in memory', { timeout: 180_000 }, async (t) => {
    await staysFlat(s3.blobs(), (line) => {
      t.diagnostic(line);
    });
  });

  it('to a folder does not stay in memory', { timeout: 180_000 }, async (t) => {
    await staysFlat(folderBlobs(await temporaryFolder(t)), (line) => {
      t.diagnostic(line);
    });
  });
});
