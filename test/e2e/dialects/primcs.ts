/** A client of PRIMCS, as its examples are: MCP of 2025 with a session, and plain HTTP for artifacts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { timeout } from '../harness/clients.ts';
import { root } from '../harness/command.ts';

export interface Artifact {
  name: string;
  relative_path: string;
  size: number;
  mime: string;
}

export interface Ran {
  stdout: string;
  stderr: string;
  artifacts: Artifact[];
  session_id?: string;
  feedback?: string;
}

export interface Entry {
  name: string;
  path: string;
  type: 'file' | 'directory';
  size: number;
  modified: string;
}

export interface Primcs {
  client: Client;
  /** What the transport goes by; stdin and stdout have none. */
  sessionId: string | undefined;
  run(code: string, more?: Record<string, unknown>): Promise<Ran>;
  /** Calls a tool that succeeds: its one text is its structured content. */
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
  list(dir_path?: string): Promise<Entry[]>;
  /** Calls a tool that fails: what comes after the words that all errors begin with. */
  failure(tool: string, args: Record<string, unknown>): Promise<string>;
  /** Says that it goes, and goes. */
  close(): Promise<void>;
}

/** A client of a user, whom a proxy in front of the server names in X-User. */
export async function connectPrimcs(base: string, user: string): Promise<Primcs> {
  const transport = new StreamableHTTPClientTransport(new URL(`${base}/mcp`), {
    requestInit: { headers: { 'X-User': user } },
  });
  return connected(transport, () => transport.terminateSession());
}

export async function withPrimcs(base: string, use: (client: Primcs) => Promise<void>): Promise<void> {
  const client = await connectPrimcs(base, 'ann');
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

export function startPrimcs(env: NodeJS.ProcessEnv): Promise<Primcs> {
  const args = ['src/main.ts', 'stdio', '--dialect', 'primcs'];
  const transport = new StdioClientTransport({
    command: process.execPath,
    args,
    cwd: root,
    env: env as Record<string, string>,
    stderr: 'ignore',
  });
  return connected(transport, () => Promise.resolve());
}

interface Answer {
  isError?: boolean;
  content: { type: string; text: string }[];
  structuredContent?: Record<string, unknown>;
}

async function connected(transport: Transport, leave: () => Promise<void>): Promise<Primcs> {
  const client = new Client({ name: 'primcs-example', version: '1' });
  await client.connect(transport);
  const ask = async (tool: string, args: Record<string, unknown>) => {
    const answer = (await client.callTool({ name: tool, arguments: args }, undefined, {
      timeout,
    })) as unknown as Answer;
    assert.deepEqual([answer.content.length, answer.content[0]?.type], [1, 'text'], JSON.stringify(answer));
    return { ...answer, said: answer.content[0]?.text ?? '' };
  };
  const call: Primcs['call'] = async (tool, args) => {
    const { isError = false, said, structuredContent = {} } = await ask(tool, args);
    assert.equal(isError, false, said);
    const told: unknown = JSON.parse(said);
    assert.deepEqual(Array.isArray(told) ? { result: told } : told, structuredContent);
    return structuredContent;
  };
  return {
    client,
    sessionId: transport.sessionId,
    call,
    run: async (code, more = {}) => (await call('run_code', { code, ...more })) as unknown as Ran,
    list: async (dir_path) =>
      (await call('list_dir', dir_path === undefined ? {} : { dir_path })).result as Entry[],
    async failure(tool, args) {
      const { isError, said } = await ask(tool, args);
      const prefix = `Error calling tool '${tool}': `;
      assert.deepEqual([isError, said.slice(0, prefix.length)], [true, prefix], said);
      return said.slice(prefix.length);
    },
    async close() {
      await leave();
      await client.close();
    },
  };
}

/** GET of an artifact with the path as it is written, which fetch would tidy up. */
export async function getArtifact(
  base: string,
  path: string,
  session: string | undefined,
  user = 'ann',
): Promise<{ status: number | undefined; body: string; headers: IncomingHttpHeaders }> {
  const { hostname, port } = new URL(base);
  const headers = { 'X-User': user, ...(session !== undefined && { 'mcp-session-id': session }) };
  const sent = request({ hostname, port, path: `/artifacts/${path}`, headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response), headers: response.headers };
}
