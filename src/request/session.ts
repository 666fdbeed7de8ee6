import { z } from 'zod';
import { type PackageSettings, requirementList } from './requirements.ts';

/** The handle of a session. Whoever has it, and is its caller, has the session. */
export const sessionId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{20,128}$/, 'a session_id is what create_session answered');

export interface SessionSettings extends PackageSettings {
  sessionIdleSeconds: number;
}

/** What may be asked for a session. */
export function sessionRequest(settings: SessionSettings) {
  return z.strictObject({
    requirements: requirementList(settings),
    timeout_seconds: z
      .number()
      .positive()
      .optional()
      .describe('Wall-clock limit of its runs that name none.'),
    idle_seconds: z
      .number()
      .positive()
      .optional()
      .describe(
        `It ends when nothing was asked of it for so long: ${settings.sessionIdleSeconds}, which is also the most.`,
      ),
    limits: z
      .strictObject({
        cpu: z.number().min(0.05).optional().describe('CPUs.'),
        memory_mb: z
          .number()
          .int()
          .min(64)
          .optional()
          .describe('Memory in MiB, files in the workspace included.'),
      })
      .default({})
      .describe('Resources of the session. More than the server allows is lowered to it.'),
  });
}

export type SessionRequest = z.infer<ReturnType<typeof sessionRequest>>;

/** A path below the workspace of a session. */
export const workspacePath = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) =>
      !path.includes('\0') &&
      path.isWellFormed() &&
      !path.split('/').some((part) => ['', '.', '..'].includes(part)),
    'a path is relative to the workspace, without empty, . and .. parts, such as data/a.csv',
  );
