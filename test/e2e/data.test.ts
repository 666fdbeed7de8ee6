/** What people do with a sandbox: a CSV in, pandas over it, a plot and a Parquet file out, through every door. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { executionResult, type ExecutionResult } from '../../src/result/execution-result.ts';
import { connect } from './harness/clients.ts';
import { environmentsPlace } from './harness/environments.ts';
import { rest } from './harness/rest.ts';
import { startServer, type Server } from './harness/server.ts';
import { openUndo } from './harness/undo.ts';

const request = {
  files: [{ path: 'rain.csv', content: 'month,rain\nJan,179\nFeb,139\nMar,148\n' }],
  requirements: ['fastparquet==2026.9.0'],
  code: `import pandas as pd, matplotlib.pyplot as plt
rain = pd.read_csv('mounts/rain.csv')
rain.plot.bar(x='month', figsize=(4, 3))
rain.to_parquet('output/rain.parquet')
assert list(pd.read_parquet('output/rain.parquet').rain) == [179, 139, 148]
print(rain.rain.sum())
rain.describe()`,
};

describe('data: kubernetes', () => {
  let server: Server;
  const undo = openUndo();
  before(async () => {
    const place = await environmentsPlace('kubernetes', 'vivarium-e2e-data');
    undo.add(() => place.close());
    server = await startServer('kubernetes', { ...place.settings, VIVARIUM_DEFAULT_CPU: '0.5' });
    undo.add(() => server.stop());
  });
  after(() => undo.run());

  /** Everything is there, and what is fetched is what was made. */
  async function check(result: ExecutionResult): Promise<void> {
    const { status, stdout, stderr, value, artifacts } = result;
    assert.deepEqual([status, stdout], ['succeeded', '466\n'], stderr);
    assert.match(value?.text ?? '', /mean {3}155\.333333/);
    assert.match(value?.html ?? '', /<table/);
    assert.deepEqual(
      artifacts.map(({ path, kind, error }) => [path, kind, error]),
      [
        ['figure-1.png', 'figure', null],
        ['rain.parquet', 'output', null],
      ],
    );
    for (const { url, sha256, size } of artifacts) {
      const response = await fetch(new URL(url ?? '', server.url));
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.deepEqual([bytes.length, createHash('sha256').update(bytes).digest('hex')], [size, sha256]);
    }
  }

  for (const kind of ['v1', 'v2 modern'] as const) {
    it(`through the ${kind} client, with the picture in the answer and the file by its link`, async () => {
      const caller = await connect(kind, server.mcpUrl);
      try {
        const answer = await caller.call(request);
        await check(executionResult.parse(answer.structuredContent));
        const blocks = answer.content as { type: string; mimeType?: string; uri?: string }[];
        assert.ok(blocks.some(({ type, mimeType }) => type === 'image' && mimeType === 'image/png'));
        const link = blocks.filter(({ type }) => type === 'resource_link').at(-1);
        const content = await caller.read(link?.uri ?? '');
        assert.equal(Buffer.from(content.blob ?? '', 'base64').toString('latin1', 0, 4), 'PAR1');
      } finally {
        await caller.close();
      }
    });
  }

  it('a figure of plotly comes back as a page', async () => {
    const { body } = await rest('POST', `${server.url}/v1/executions`, {
      requirements: ['plotly==7.1.0'],
      code: 'import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[1, 2])).show()',
    });
    const { artifacts, stderr } = executionResult.parse(body);
    assert.deepEqual(
      artifacts.map(({ path, kind, mime_type, error }) => [path, kind, mime_type, error]),
      [['figure-1.html', 'figure', 'text/html', null]],
      stderr,
    );
  });

  it('through REST', async () => {
    const { status, body } = await rest('POST', `${server.url}/v1/executions`, request);
    assert.equal(status, 200, JSON.stringify(body));
    await check(executionResult.parse(body));
  });
});
