import { z } from 'zod';

/** A session as its caller sees it. */
export const sessionView = z.object({
  session_id: z
    .string()
    .describe('Names the session in further calls. It is a secret: whoever has it has the session.'),
  created: z.string().describe('ISO 8601.'),
  expires: z.string().describe('It lives no longer than this; ISO 8601.'),
  idle_seconds: z.number().describe('It ends when nothing was asked of it for so long.'),
  limits: z
    .object({ seconds: z.number(), cpu: z.number(), memory_mb: z.number() })
    .describe('Limits of its runs.'),
  hints: z.array(z.string()).describe('What differs from what was asked for, and why.'),
});

export type SessionView = z.infer<typeof sessionView>;

/** A file or folder in the workspace of a session. */
export const workspaceEntry = z.object({
  path: z.string().describe('Relative to /workspace.'),
  kind: z.enum(['file', 'folder', 'other']),
  size: z.number().describe('Bytes.'),
  modified: z.string().describe('ISO 8601.'),
});

export const workspaceListing = z.object({
  entries: z.array(workspaceEntry).describe('By path.'),
  left_out: z.number().describe('How many there are beside these.'),
});

export type WorkspaceListing = z.infer<typeof workspaceListing>;

/** A file of a workspace, whole. */
export const workspaceFile = z.object({
  path: z.string().describe('Relative to /workspace.'),
  size: z.number().describe('Bytes.'),
  content: z.string().nullable().describe('Its text.'),
  content_base64: z
    .string()
    .nullable()
    .describe('Its bytes instead, where they are no UTF-8 or mostly control characters.'),
});

export type WorkspaceFile = z.infer<typeof workspaceFile>;

/** A file that was written. */
export const workspaceWritten = workspaceFile.pick({ path: true, size: true });

/** A session that has ended. */
export const endedSession = sessionView.pick({ session_id: true });

/** Languages that code may be written in. */
export const runtimeList = z.object({
  runtimes: z.array(
    z.object({
      language: z.string(),
      version: z.string(),
      aliases: z.array(z.string()).describe('Other names that `language` takes.'),
      isolation: z
        .enum(['sandbox', 'piston'])
        .describe(
          '`sandbox`: one of its own for each run. `piston`: a service that runs share, kept apart less strictly.',
        ),
    }),
  ),
  hints: z.array(z.string()).describe('Why languages may be missing.'),
});

export type RuntimeList = z.infer<typeof runtimeList>;
