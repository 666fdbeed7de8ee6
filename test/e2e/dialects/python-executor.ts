/** A client of MCP Python Executor: its tools by MCP of 2025, and its plain HTTP. */
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { timeout } from '../harness/clients.ts';
import { root } from '../harness/command.ts';

/** A way to call a tool, and the one plain text that it answers. */
export type Call = (name: string, args: Record<string, unknown>) => Promise<string>;

export interface Executor {
  client: Client;
  call: Call;
  close(): Promise<void>;
}

export function connectExecutor(base: string, headers: Record<string, string>): Promise<Executor> {
  return connected(new StreamableHTTPClientTransport(new URL(`${base}/mcp/`), { requestInit: { headers } }));
}

export function startExecutor(env: NodeJS.ProcessEnv): Promise<Executor> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['src/main.ts', 'stdio', '--dialect', 'python-executor'],
    cwd: root,
    env: env as Record<string, string>,
    stderr: 'ignore',
  });
  return connected(transport);
}

async function connected(transport: Transport): Promise<Executor> {
  const client = new Client({ name: 'python-executor-test', version: '1' });
  await client.connect(transport);
  return {
    client,
    call: async (name, args) =>
      plain(await client.callTool({ name, arguments: args }, undefined, { timeout })),
    close: () => client.close(),
  };
}

/** POST /execute. */
export function executeOver(base: string, headers: Record<string, string>): Call {
  return async (name, args) => {
    const response = await post(`${base}/execute`, { name, arguments: args }, headers);
    assert.equal(response.status, 200);
    return plain(await response.json());
  };
}

export interface StreamEvent {
  event: string;
  data: Record<string, unknown>;
}

/** POST /execute/stream, to its end. */
export async function streamOver(
  base: string,
  headers: Record<string, string>,
  name: string,
  args: Record<string, unknown>,
): Promise<StreamEvent[]> {
  const response = await post(`${base}/execute/stream`, { name, arguments: args }, headers);
  assert.deepEqual(
    [response.status, response.headers.get('content-type')?.split(';')[0]],
    [200, 'text/event-stream'],
  );
  const blocks = (await response.text()).split('\n\n').filter((block) => block.includes('data: '));
  return blocks.map((block) => ({
    event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
    data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as Record<string, unknown>,
  }));
}

export function post(url: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** The text of an answer that is one plain text and no error. */
export function plain(answer: unknown): string {
  const { isError = false, content } = answer as {
    isError?: boolean;
    content: { type: string; text: string }[];
  };
  assert.deepEqual([isError, content.length, content[0]?.type], [false, 1, 'text'], JSON.stringify(answer));
  return content[0]?.text ?? '';
}
