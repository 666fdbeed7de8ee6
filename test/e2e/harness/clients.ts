import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { ExecutionRequestInput } from '../../../src/request/execution.ts';
import { executionResult, type ExecutionResult } from '../../../src/result/execution-result.ts';
import { root } from './command.ts';

export const kinds = ['v1', 'v2 legacy', 'v2 modern'] as const;
export type ClientKind = (typeof kinds)[number];

/** The tools of Vivarium itself. */
export const nativeTools = [
  'run_code',
  'create_session',
  'end_session',
  'list_files',
  'read_file',
  'write_file',
  'list_packages',
  'list_runtimes',
];

export interface RunOptions {
  signal?: AbortSignal;
  onProgress?: (message: string) => void;
}

/** An MCP client of any kind. */
export interface Caller {
  kind: ClientKind;
  era: string | undefined;
  tools(): Promise<string[]>;
  /** Calls run_code. Throws ToolError where the code did not run. */
  run(request: ExecutionRequestInput, options?: RunOptions): Promise<ExecutionResult>;
  /** Calls run_code with whatever arguments; the answer as it is. */
  call(request: Record<string, unknown>, options?: RunOptions): Promise<ToolAnswer>;
  /** Calls any tool. */
  tool(name: string, request: Record<string, unknown>, options?: RunOptions): Promise<ToolAnswer>;
  /** The URI templates of resources, and how many resources there are. */
  resources(): Promise<{ templates: string[]; listed: number }>;
  /** Reads a resource that is one piece. */
  read(uri: string): Promise<ResourceContent>;
  close(): Promise<void>;
}

export interface ToolAnswer {
  isError?: boolean | undefined;
  content: unknown;
  structuredContent?: unknown;
  _meta?: Record<string, unknown> | undefined;
}

export interface ResourceContent {
  uri: string;
  mimeType?: string | undefined;
  text?: string;
  blob?: string;
}

/** An error of the catalogue, as MCP carries it. */
export class ToolError extends Error {
  override name = 'ToolError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

const identity = { name: 'vivarium-e2e', version: '1' };
/** Milliseconds that a call of a tool may take: as long as a test. */
export const timeout = 170_000;

/** A connected client over HTTP. `options.fetch` is what it sends its requests with. */
export function connect(kind: ClientKind, mcpUrl: string, options: { fetch?: Fetch } = {}): Promise<Caller> {
  const url = new URL(mcpUrl);
  return kind === 'v1'
    ? connectV1(new HttpV1(url, options))
    : connectV2(kind, new StreamableHTTPClientTransport(url, options));
}

/** A client over HTTP as long as it is used: an open one would keep its process alive. */
export async function withCaller(
  kind: ClientKind,
  mcpUrl: string,
  use: (caller: Caller) => Promise<void>,
  options: { fetch?: Fetch } = {},
): Promise<void> {
  const caller = await connect(kind, mcpUrl, options);
  try {
    await use(caller);
  } finally {
    await caller.close();
  }
}

/** A client that started the server itself, and speaks with it over stdin and stdout. */
export function connectStdio(
  kind: ClientKind,
  env: NodeJS.ProcessEnv,
  args: string[] = ['src/main.ts', 'stdio'],
): Promise<Caller> {
  const server = {
    command: process.execPath,
    args,
    cwd: root,
    env: env as Record<string, string>,
    stderr: 'ignore' as const,
  };
  return kind === 'v1' ? connectV1(new StdioV1(server)) : connectV2(kind, new StdioClientTransport(server));
}

async function connectV1(transport: TransportV1): Promise<Caller> {
  const client = new ClientV1(identity);
  await client.connect(transport);
  const tool: Caller['tool'] = async (name, request, options) =>
    (await client.callTool({ name, arguments: request }, undefined, optionsOf(options))) as ToolAnswer;
  return callerOf('v1', 'legacy', client, tool);
}

async function connectV2(kind: 'v2 legacy' | 'v2 modern', transport: Transport): Promise<Caller> {
  const mode = kind === 'v2 legacy' ? 'legacy' : { pin: '2026-07-28' };
  const client = new Client(identity, { versionNegotiation: { mode } });
  await client.connect(transport);
  const tool: Caller['tool'] = (name, request, options) =>
    client.callTool({ name, arguments: request }, optionsOf(options));
  return callerOf(kind, client.getProtocolEra(), client, tool);
}

/** What the clients of both versions have in common. */
interface Connected {
  listTools(): Promise<{ tools: { name: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  listResources(): Promise<{ resources: unknown[] }>;
  readResource(request: { uri: string }): Promise<{ contents: ResourceContent[] }>;
  close(): Promise<void>;
}

function callerOf(
  kind: ClientKind,
  era: string | undefined,
  client: Connected,
  tool: Caller['tool'],
): Caller {
  return {
    kind,
    era,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (request, options) => tool('run_code', request, options),
    tool,
    run: async (request, options) => resultOf(await tool('run_code', request, options)),
    resources: async () => ({
      templates: (await client.listResourceTemplates()).resourceTemplates.map(
        ({ uriTemplate }) => uriTemplate,
      ),
      listed: (await client.listResources()).resources.length,
    }),
    read: async (uri) => onlyOne((await client.readResource({ uri })).contents),
    close: () => client.close(),
  };
}

function optionsOf({ signal, onProgress }: RunOptions = {}) {
  return {
    timeout,
    ...(signal && { signal }),
    ...(onProgress && {
      onprogress: ({ message }: { message?: string | undefined }) => {
        onProgress(message ?? '');
      },
    }),
  };
}

function onlyOne(contents: ResourceContent[]): ResourceContent {
  const [content, ...more] = contents;
  if (!content || more.length > 0) throw new Error(`A resource of ${contents.length} pieces.`);
  return content;
}

/** What a tool answered. Throws ToolError. */
export function structuredOf(answer: ToolAnswer): unknown {
  if (!answer.isError) return answer.structuredContent;
  const error = answer._meta?.['vivarium.dev/error'] as { code: string; message: string } | undefined;
  throw new ToolError(error?.code ?? 'none', error?.message ?? JSON.stringify(answer.content));
}

/** The result of an answer; checked against the schema that the server promises. Throws ToolError. */
export function resultOf(answer: ToolAnswer): ExecutionResult {
  return executionResult.parse(structuredOf(answer));
}
