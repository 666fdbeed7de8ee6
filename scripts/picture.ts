/**
 * Draws docs/session.svg: a few runs as a notebook would show them, made by a real server. `node scripts/picture.ts URL`
 * (the URL ends in /mcp; the server needs environments for the last run).
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { writeFileSync } from 'node:fs';
import { executionResult, type ExecutionResult } from '../src/result/execution-result.ts';

const csv = `month,city,rain\n${['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun']
  .flatMap((month, at) => [
    `${month},Bergen,${[179, 139, 148, 116, 110, 126][at]}`,
    `${month},Lisbon,${[100, 85, 53, 68, 54, 16][at]}`,
  ])
  .join('\n')}\n`;

const files = [{ path: 'rain.csv', content: csv }];

const requests = [
  {
    files,
    code: `import pandas as pd
rain = pd.read_csv("mounts/rain.csv")
rain.pivot(index="month", columns="city", values="rain").describe().round(1)`,
  },
  {
    files,
    code: `import pandas as pd, matplotlib.pyplot as plt
rain = pd.read_csv("mounts/rain.csv")
table = rain.pivot(index="month", columns="city", values="rain").loc[rain.month.unique()]
table.plot.bar(figsize=(6, 2.6), ylabel="rain (mm)", xlabel="", rot=0)
plt.show()`,
  },
  {
    files,
    requirements: ['fastparquet'],
    code: `import pandas as pd
rain = pd.read_csv("mounts/rain.csv")
rain.to_parquet("output/rain.parquet")
print(len(rain), "rows written")`,
  },
];

interface Image {
  mimeType: string;
  data: string;
}

interface Cell {
  request: { code: string; requirements?: string[] };
  result: ExecutionResult;
  images: Image[];
}

async function runAll(url: string): Promise<Cell[]> {
  const client = new Client({ name: 'vivarium-picture', version: '0.1.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  try {
    const cells: Cell[] = [];
    for (const request of requests) {
      const answer = await client.callTool({ name: 'run_code', arguments: request }, { timeout: 300_000 });
      if (answer.isError) throw new Error(JSON.stringify(answer.content));
      const images = answer.content.filter((block) => block.type === 'image');
      cells.push({ request, result: executionResult.parse(answer.structuredContent), images });
    }
    return cells;
  } finally {
    await client.close();
  }
}

const width = 860;
const left = 88;
const line = 19;
const pad = 12;

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${x}" y="${y}" class="${style}" xml:space="preserve">${escaped(content)}</text>`;
}

/** Width and height that the first bytes of a PNG say. */
function sizeOf({ data }: Image): { width: number; height: number } {
  const bytes = Buffer.from(data, 'base64');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function draw(cells: Cell[]): string {
  const parts: string[] = [];
  let y = 16;
  const lines = (label: string, all: string[], style: string) => {
    parts.push(text(14, y + line - 5, label, 'label'));
    for (const each of all) {
      y += line;
      parts.push(text(left + pad, y - 5, each, style));
    }
  };
  cells.forEach(({ request, result, images }, at) => {
    const asked = request.requirements ? [`# requirements: ${request.requirements.join(', ')}`] : [];
    const code = [...asked, ...request.code.split('\n')];
    parts.push(
      `<rect x="${left}" y="${y}" width="${width - left - 14}" height="${code.length * line + pad}" rx="4" class="code-box"/>`,
    );
    y += pad / 2;
    lines(`In [${at + 1}]:`, code, 'code');
    y += pad;
    const { stdout, value, artifacts, timings } = result;
    if (stdout !== '') lines('', stdout.trimEnd().split('\n'), 'out');
    if (value) lines(`Out[${at + 1}]:`, value.text.split('\n'), 'out');
    for (const image of images) {
      const { width: wide, height: high } = sizeOf(image);
      const href = `data:${image.mimeType};base64,${image.data}`;
      parts.push(`<image x="${left + pad}" y="${y}" width="${wide}" height="${high}" href="${href}"/>`);
      y += high + pad / 2;
    }
    const kept = artifacts.filter(({ kind }) => kind === 'output');
    const ran = `${((timings.total ?? 0) * 1000).toFixed(0)} ms${timings.environment === null ? '' : ', the environment being there'}`;
    lines('', [...kept.map(({ path, size }) => `output/${path}  ${size} bytes`), ran], 'note');
    y += 2 * pad;
  });
  const style = [
    'text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}',
    '.label{fill:#8b5e00}.code{fill:#1f2328}.out{fill:#1f2328}.note{fill:#59636e}',
    '.code-box{fill:#f6f8fa;stroke:#d1d9e0}',
  ].join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}">`,
    `<style>${style}</style><rect width="${width}" height="${y}" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

const url = process.argv[2] ?? 'http://127.0.0.1:8000/mcp';
// The first time builds the environment; the picture is of the second.
await runAll(url);
writeFileSync(new URL('../docs/session.svg', import.meta.url), draw(await runAll(url)));
