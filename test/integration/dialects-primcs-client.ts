import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Config } from '../../src/config.ts';
import { primcs } from '../../src/serve/dialects/primcs/primcs.ts';
import { dialectDoor, handleOf, type Program } from './dialects-workspaces.ts';

export interface Answer {
  isError?: boolean;
  content: { type: string; text: string }[];
  structuredContent?: Record<string, unknown>;
}

/** A client as those of PRIMCS are: with the session that it was given. */
export async function connected(
  t: TestContext,
  options: {
    program?: Program;
    settings?: Partial<Config>;
    path?: string;
    headers?: Record<string, string>;
  } = {},
) {
  const door = await dialectDoor(t, primcs, options);
  const transport = new StreamableHTTPClientTransport(new URL(`${door.url}${options.path ?? '/mcp/'}`), {
    requestInit: { headers: options.headers ?? {} },
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  t.after(() => client.close());
  const session = transport.sessionId ?? '';
  const tool = async (name: string, given: object) =>
    (await client.callTool({ name, arguments: given as Record<string, unknown> })) as Answer;
  return {
    ...door,
    client,
    transport,
    session,
    tool,
    workspace: () => door.workspaces.get(handleOf(session)),
    /** What a tool says where it fails. */
    failure: async (name: string, given: object) => {
      const { isError, content } = await tool(name, given);
      assert.equal(isError, true);
      return content[0]?.text;
    },
  };
}

/** Writes its code to output/, in the order of its calls. */
export const writing: Program = ({ code }, workspace) => {
  if (code !== '') workspace.set(`output/${code}`, Buffer.from(code.repeat(3)));
  return {};
};
