import type { CallToolResult, ContentBlock, McpServer, ServerContext } from '@modelcontextprotocol/server';
import { inlineBytes } from '../request/files.ts';
import { sessionRequest, type SessionSettings } from '../request/session.ts';
import { endRequest, listRequest, readRequest, writeRequest } from '../request/workspace.ts';
import {
  endedSession,
  sessionView,
  workspaceFile,
  type WorkspaceFile,
  workspaceListing,
  workspaceWritten,
} from '../result/session.ts';
import { decodeUtf8 } from '../result/utf8.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { pictureType } from './media.ts';
import { formatSize } from './render.ts';
import { renderFile, renderListing, renderSession } from './render-session.ts';
import type { Call } from './tool-call.ts';

export interface SessionDoorSettings extends SessionSettings {
  sessionMaxAgeSeconds: number;
  inputBytes: number;
}

/** Does a tool's work and answers; errors are results. */
export type Answer = (
  tool: string,
  context: ServerContext,
  work: (call: Call) => Promise<CallToolResult>,
) => Promise<CallToolResult>;

/** Most of a file that comes in one message: what a stdio client takes has it twice, and a model reads less. */
const maxReadBytes = 1_048_576;

const changes = { readOnlyHint: false, openWorldHint: false };

/** The tools of sessions, but for run_code. */
export function registerSessions(
  server: McpServer,
  sessions: Sessions,
  settings: SessionDoorSettings,
  answer: Answer,
): void {
  server.registerTool(
    'create_session',
    {
      title: 'Create session',
      description: describeCreate(settings),
      inputSchema: sessionRequest(settings),
      outputSchema: sessionView,
      annotations: { ...changes, destructiveHint: false, idempotentHint: false },
    },
    (request, context) =>
      answer('create_session', context, async ({ caller, signal, building }) => {
        const session = await sessions.create(request, { caller, signal, onProgress: building });
        return said(renderSession(session), session);
      }),
  );
  server.registerTool(
    'end_session',
    {
      title: 'End session',
      description: 'Ends a session: its variables and files are gone, its artifacts are not.',
      inputSchema: endRequest,
      outputSchema: endedSession,
      annotations: { ...changes, destructiveHint: true, idempotentHint: true },
    },
    ({ session_id }, context) =>
      answer('end_session', context, async (call) => {
        await sessions.end(session_id, call);
        return said('The session has ended.', { session_id });
      }),
  );
  server.registerTool(
    'list_files',
    {
      title: 'List files',
      description: 'Lists the files and folders in the workspace of a session (/workspace), by path.',
      inputSchema: listRequest,
      outputSchema: workspaceListing,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id, path, recursive }, context) =>
      answer('list_files', context, async (call) => {
        const listing = await sessions.list(session_id, path, { recursive }, call);
        return said(renderListing(listing), listing);
      }),
  );
  server.registerTool(
    'read_file',
    {
      title: 'Read file',
      description: `Reads a file of a session: text as it is, PNG, JPEG, GIF and WebP as images, other bytes as base64. At most ${formatSize(maxReadBytes)}; read larger ones in parts, with run_code.`,
      inputSchema: readRequest,
      outputSchema: workspaceFile,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id, path }, context) =>
      answer('read_file', context, async (call) =>
        fileAnswer(path, await sessions.read(session_id, path, maxReadBytes, call)),
      ),
  );
  server.registerTool(
    'write_file',
    {
      title: 'Write file',
      description: `Makes or replaces a file of a session, of at most ${formatSize(settings.inputBytes)}; its programs may change it.`,
      inputSchema: writeRequest(settings),
      outputSchema: workspaceWritten,
      annotations: { ...changes, destructiveHint: true, idempotentHint: true },
    },
    ({ session_id, path, ...file }, context) =>
      answer('write_file', context, async (call) => {
        const bytes = inlineBytes(file) ?? Buffer.alloc(0);
        await sessions.write(session_id, path, bytes, call);
        return said(`${path} has ${formatSize(bytes.length)} now.`, { path, size: bytes.length });
      }),
  );
}

/** A file as MCP content. Text that JSON makes longer than base64 may be goes as that. */
export function fileAnswer(path: string, bytes: Buffer): CallToolResult {
  const text = decodeUtf8(bytes);
  const isShort = text !== undefined && Buffer.byteLength(JSON.stringify(text)) <= (maxReadBytes * 4) / 3;
  const file: WorkspaceFile = {
    path,
    size: bytes.length,
    content: isShort ? text : null,
    content_base64: isShort ? null : bytes.toString('base64'),
  };
  const picture = pictureType(bytes);
  const block: ContentBlock =
    picture === undefined
      ? { type: 'text', text: renderFile(file) }
      : { type: 'image', data: bytes.toString('base64'), mimeType: picture };
  return { content: [block], structuredContent: file, isError: false };
}

function said(text: string, structuredContent: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent, isError: false };
}

function describeCreate({ sessionIdleSeconds, sessionMaxAgeSeconds }: SessionDoorSettings): string {
  return [
    'Creates a session: a sandbox that run_code uses again and again when it is given the session_id,',
    'with variables, imports, files and working directory as the last run left them. Runs are done one after another.',
    `It ends with end_session, after ${sessionIdleSeconds} s without use, and after ${sessionMaxAgeSeconds} s at the latest.`,
    'A run that times out or crashes loses the variables; the files stay.',
  ].join(' ');
}
