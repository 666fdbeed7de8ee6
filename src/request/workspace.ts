import { z } from 'zod';
import { contentFault, inlineSize } from './files.ts';
import { sessionId, workspacePath } from './session.ts';

const session_id = sessionId.describe('The session, as create_session named it.');

/** Which files of a session are asked for. */
export const folderQuery = z.strictObject({
  path: workspacePath
    .or(z.literal(''))
    .default('')
    .describe('A folder, relative to /workspace, which the empty path is itself.'),
  recursive: z.boolean().default(false).describe('Whether to list what is in its folders, too.'),
});

export const endRequest = z.strictObject({ session_id });

export const listRequest = folderQuery.extend({ session_id });

export const readRequest = z.strictObject({
  session_id,
  path: workspacePath.describe('Relative to /workspace: "output/report.csv".'),
});

/** A file for a session: `content` or `content_base64`, of `inputBytes` at most. */
export function writeRequest({ inputBytes }: { inputBytes: number }) {
  return z
    .strictObject({
      session_id,
      path: workspacePath.describe('Relative to /workspace: "data/a.csv". Folders are made.'),
      content: z.string().optional().describe('The file as text (UTF-8). Give this or `content_base64`.'),
      content_base64: z
        .string()
        .meta({ contentEncoding: 'base64' })
        .optional()
        .describe('The file as standard base64 with padding.'),
    })
    .superRefine(({ content, content_base64 }, context) => {
      const fault = writeFault({ content, content_base64 }, inputBytes);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    });
}

function writeFault(
  file: { content: string | undefined; content_base64: string | undefined },
  inputBytes: number,
): string | undefined {
  if ((file.content === undefined) === (file.content_base64 === undefined))
    return 'give one of `content` and `content_base64`';
  const size = inlineSize(file);
  if (size > inputBytes) return `the file is ${size} bytes long; the limit is ${inputBytes}`;
  return contentFault(file);
}
