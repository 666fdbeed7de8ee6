/** Artifacts where they are kept: in S3, in a store that is down, 200 MiB of them, and for one caller alone. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startS3, type S3Server } from '../s3/server.ts';
import { connect } from './harness/clients.ts';
import { metric, watchLargest } from './harness/metrics.ts';
import { startServer, type Server, type Settings } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';

const MiB = 1_048_576;

const settingsOf = (s3: S3Server): Settings => ({
  VIVARIUM_ARTIFACT_STORE: `s3://${s3.bucket}/e2e`,
  VIVARIUM_S3_ENDPOINT: s3.endpoint,
  VIVARIUM_S3_REGION: s3.region,
  VIVARIUM_S3_PATH_STYLE: 'true',
  VIVARIUM_S3_CA_FILE: s3.caFile,
});

describe('artifacts in S3: kubernetes', () => {
  let server: Server;
  const undo = openUndo();
  before(async () => {
    const s3 = await startS3();
    undo.add(() => s3.stop());
    server = await startServer('kubernetes', {
      ...settingsOf(s3),
      VIVARIUM_CALLER_HEADER: 'X-Forwarded-User',
      VIVARIUM_ARTIFACT_BYTES: String(200 * MiB),
      AWS_ACCESS_KEY_ID: s3.accessKey,
      AWS_SECRET_ACCESS_KEY: s3.secretKey,
    });
    undo.add(() => server.stop());
  });
  after(() => undo.run());

  const as = (user: string) => (input: string | URL, init?: RequestInit) => {
    const headers = new Headers(init?.headers);
    headers.set('x-forwarded-user', user);
    return fetch(input, { ...init, headers });
  };
  const clientOf = (user: string) => connect('v2 modern', server.mcpUrl, { fetch: as(user) });

  it('200 MiB come back whole, and the server never holds them all', async () => {
    const caller = await clientOf('ann');
    try {
      const run = (megabytes: number) =>
        caller.run({
          code: `import random
for n in range(5):
    with open(f'output/{n}.bin', 'wb') as file:
        for _ in range(${megabytes / 5}):
            file.write(random.randbytes(${MiB}))`,
          limits: { memory_mb: 512, cpu: 1 },
          timeout_seconds: 60,
        });
      await run(20); // buffers, and what is compiled late
      const name = 'process_resident_memory_bytes';
      const begin = await metric(server.probesUrl, name);
      const largest = watchLargest(server.probesUrl, name);
      const { status, artifacts } = await run(200);
      const grown = (await largest.stop()) - begin;
      assert.deepEqual([status, artifacts.map(({ error }) => error)], ['succeeded', Array(5).fill(null)]);
      assert.equal(
        artifacts.reduce((sum, { size }) => sum + size, 0),
        200 * MiB,
      );
      // Less than all of it; what is no longer needed stays for a while, and how long is the garbage collector's choice.
      assert.ok(grown < 180 * MiB, `grew by ${(grown / MiB).toFixed(0)} MiB`);
    } finally {
      await caller.close();
    }
  });

  it('are their caller’s alone, and a request without a caller is refused', async () => {
    const [ann, bob] = await Promise.all(['ann', 'bob'].map(clientOf));
    try {
      const result = await ann?.run({ code: 'open("output/a.txt", "w").write("for ann")' });
      const [artifact] = result?.artifacts ?? [];
      assert.ok(artifact?.id);
      assert.equal((await ann?.read(`artifact://${artifact.id}`))?.text, 'for ann');
      await assert.rejects(async () => bob?.read(`artifact://${String(artifact.id)}`));
      const url = new URL(artifact.url ?? '', server.url);
      const statuses = await Promise.all(
        [as('ann')(url), as('bob')(url), fetch(url)].map(async (asked) => (await asked).status),
      );
      assert.deepEqual(statuses, [200, 404, 401]);
    } finally {
      await Promise.all([ann?.close(), bob?.close()]);
    }
  });
});

describe('a store that is down: kubernetes', () => {
  it('fails the artifact and says so, and the run has its result', async (t) => {
    const undo = openUndo();
    t.after(() => undo.run());
    const s3 = await startS3();
    undo.add(() => s3.stop());
    const server = await startServer('kubernetes', {
      ...settingsOf(s3),
      AWS_ACCESS_KEY_ID: s3.accessKey,
      AWS_SECRET_ACCESS_KEY: s3.secretKey,
    });
    undo.add(() => server.stop());
    const caller = await connect('v1', server.mcpUrl);
    undo.add(() => caller.close());
    await s3.stop();
    const code = 'print("printed")\nopen("output/a.csv", "w").write("a,b")';
    const { status, stdout, artifacts } = await caller.run({ code });
    assert.deepEqual([status, stdout], ['succeeded', 'printed\n']);
    assert.deepEqual(
      artifacts.map(({ id, path, size }) => [id, path, size]),
      [[null, 'a.csv', 3]],
    );
    assert.match(artifacts[0]?.error ?? '', /^The artifact store failed/);
    const failed = await metric(server.probesUrl, 'vivarium_artifacts_total{outcome="failed"}');
    assert.equal(failed, 1);
  });
});
