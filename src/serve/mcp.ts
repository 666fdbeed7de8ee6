import { McpServer, type McpServerFactory } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { executionRequest, type ExecutionRequest, type RequestSettings } from '../request/execution.ts';
import { newExecutionId } from '../request/execution-id.ts';
import { requirementList } from '../request/requirements.ts';
import { executionResult } from '../result/execution-result.ts';
import { packageList } from '../result/packages.ts';
import { runtimeList } from '../result/session.ts';
import type { Service } from '../schedule/service.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { callerBy } from './caller.ts';
import { resultContent } from './content.ts';
import type { Offers } from './offers.ts';
import { renderPackages } from './render.ts';
import { registerArtifacts } from './resources.ts';
import { renderRuntimes } from './runtimes.ts';
import { type Answer, registerSessions, type SessionDoorSettings } from './sessions-mcp.ts';
import { answerCall, type Call } from './tool-call.ts';
import { version } from './version.ts';

export interface DoorSettings extends RequestSettings, SessionDoorSettings {
  callerHeader: string;
  defaultTimeoutSeconds: number;
  maxTimeoutSeconds: number;
  defaultMemoryMb: number;
  maxMemoryMb: number;
}

const MiB = 1_048_576;

/** Clients end a stdio connection over a message of more than 10 MiB. */
const maxBytes = {
  http: { message: Infinity, artifact: 32 * MiB },
  stdio: { message: 9 * MiB, artifact: 7 * MiB },
};

/** Inlining what a run left behind must not hold its result up. */
const readSeconds = 10;

/** Is told of errors that the service has not logged itself, and where they came up. */
export type OnError = (where: string, error: unknown) => void;

/** What the tools do their work with. */
export interface McpBehind {
  service: Pick<Service, 'execute'>;
  sessions: Sessions;
  offers: Offers;
}

/** The tools and resources, anew for each request (HTTP) or connection (stdio): nothing is shared between callers. */
export function createMcpFactory(
  { service, sessions, offers }: McpBehind,
  settings: DoorSettings,
  onError: OnError,
): McpServerFactory {
  const runInput = executionRequest(settings);
  const listInput = z.strictObject({ requirements: requirementList(settings) });
  const callerOf = callerBy(settings.callerHeader);
  return ({ requestInfo: http }) => {
    const bounds = http ? maxBytes.http : maxBytes.stdio;
    const server = new McpServer({ name: 'vivarium', version });
    const answer: Answer = (tool, context, work) =>
      answerCall(context, http, callerOf, work, {
        onError: (error) => {
          onError(tool, error);
        },
      });
    server.registerTool(
      'run_code',
      {
        title: 'Run code',
        description: describeRunCode(settings, offers.hasEnvironments),
        inputSchema: runInput,
        outputSchema: executionResult,
        annotations: {
          readOnlyHint: false,
          destructiveHint: false,
          idempotentHint: false,
          openWorldHint: false,
        },
      },
      (request, context) =>
        answerCall(context, http, callerOf, (call) =>
          runCode(service, offers, request, call, bounds.message),
        ),
    );
    registerSessions(server, sessions, settings, answer);
    server.registerTool(
      'list_packages',
      {
        title: 'List packages',
        description: describeListPackages(offers.hasEnvironments),
        inputSchema: listInput,
        outputSchema: packageList,
        annotations: { readOnlyHint: true, openWorldHint: false },
      },
      ({ requirements }, context) =>
        answer('list_packages', context, (call) => listPackages(offers, requirements, call)),
    );
    server.registerTool(
      'list_runtimes',
      {
        title: 'List runtimes',
        description: 'Lists the languages that run_code takes as `language`, with their versions.',
        inputSchema: z.strictObject({}),
        outputSchema: runtimeList,
        annotations: { readOnlyHint: true, openWorldHint: false },
      },
      (_request, context) => answer('list_runtimes', context, (call) => listRuntimes(offers, call)),
    );
    registerArtifacts(server, offers, {
      caller: () => (http ? callerOf(http.headers) : ''),
      signal: http?.signal,
      maxBytes: bounds.artifact,
      onError: (error) => {
        onError('resources/read', error);
      },
    });
    return server;
  };
}

async function runCode(
  service: Pick<Service, 'execute'>,
  { readArtifact }: Offers,
  request: ExecutionRequest,
  { caller, requestKey, signal, progress }: Call,
  messageBytes: number,
) {
  const result = await service.execute(request, {
    executionId: newExecutionId(),
    caller,
    ...(requestKey !== undefined && { requestKey }),
    signal,
    onEvent: progress.see,
  });
  const reading = AbortSignal.any([signal, AbortSignal.timeout(readSeconds * 1000)]);
  const read = (id: string) =>
    readArtifact(id, caller, reading).then(
      (found) => found?.bytes(),
      () => undefined,
    );
  const content = await resultContent(result, (id) => read(id).catch(() => undefined), messageBytes);
  return { content, structuredContent: result, isError: false };
}

async function listPackages(offers: Offers, requirements: string[], { signal, building }: Call) {
  const list = await offers.listPackages(requirements, { signal, onProgress: building });
  return {
    content: [{ type: 'text' as const, text: renderPackages(list) }],
    structuredContent: list,
    isError: false,
  };
}

async function listRuntimes(offers: Offers, { signal, building }: Call) {
  const list = await offers.listRuntimes({ signal, onProgress: building });
  return {
    content: [{ type: 'text' as const, text: renderRuntimes(list) }],
    structuredContent: list,
    isError: false,
  };
}

function describeRunCode(settings: DoorSettings, hasEnvironments: boolean): string {
  return [
    'Runs a Python program in a fresh, isolated sandbox and returns its exact output and how it ended.',
    'Each call starts from nothing: no variables or files are kept between calls, but in a session (create_session). There is no network.',
    'Print what you want to see; the value of the last expression comes back, too.',
    'The program finds the request’s `files` below mounts/, read-only. What it writes to output/ comes back as artifacts, as do the figures that it shows or leaves open (matplotlib, plotly).',
    'The working directory is /workspace; that and /tmp can be written.',
    `Limits: ${settings.defaultTimeoutSeconds} s unless timeout_seconds says otherwise (at most ${settings.maxTimeoutSeconds}),`,
    `${settings.defaultMemoryMb} MiB unless limits.memory_mb says otherwise (at most ${settings.maxMemoryMb}).`,
    'numpy, pandas, matplotlib, scipy, scikit-learn and more are installed: list_packages says which.',
    hasEnvironments
      ? 'Name others in `requirements`: their environment is built once and kept.'
      : 'Others cannot be had on this server: leave `requirements` out.',
    ...(settings.pistonUrl === ''
      ? []
      : ['Programs in other languages (list_runtimes) run with less around them: see `language`.']),
  ].join(' ');
}

function describeListPackages(hasEnvironments: boolean): string {
  return [
    'Lists the packages that programs can import, with their versions, and the version of Python.',
    hasEnvironments
      ? 'With `requirements` it lists what a run with these has, which builds their environment if need be: use it to check a set of requirements, or to prepare it.'
      : 'Others cannot be had on this server: leave `requirements` out.',
  ].join(' ');
}
