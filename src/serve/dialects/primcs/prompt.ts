import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** The prompt of PRIMCS: its arguments, and the tags that an answer has. */
export function registerPrompt(server: McpServer): void {
  server.registerPrompt(
    'python_programmer',
    {
      description: 'Tells a model to write Python for run_code, and in which form to answer.',
      argsSchema: z.object({
        task: z.string().describe('What the code is to do.'),
        mounted_files: z
          .string()
          .optional()
          .describe('Paths below mounts/ that are there already, as a JSON list of strings.'),
      }),
    },
    ({ task, mounted_files }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: promptText(task, pathsIn(mounted_files)) } }],
    }),
  );
}

/** Prompts have texts as arguments: a list comes as JSON, or as lines. */
function pathsIn(given = ''): string[] {
  try {
    const parsed = z.array(z.string()).safeParse(JSON.parse(given));
    if (parsed.success) return parsed.data;
  } catch {
    // Lines.
  }
  return given.split('\n').filter((line) => line.trim() !== '');
}

/** Exported for its test. */
export function promptText(task: string, mountedFiles: readonly string[]): string {
  return `You write Python that the tool run_code runs in a sandbox.

<task>
${task.trim()}
</task>

<mounted_files>
${mountedFiles.join('\n')}
</mounted_files>

Rules:
- Write one whole script. Each call has an interpreter of its own; files stay only within a session.
- Print whatever is to come back, or write it to stderr. The value of an expression alone is not shown.
- The files above are at mounts/<path> already, read-only. Do not fetch them again.
- Write what is to be kept to output/.
- Name packages that are not installed under <requirements>, and files that are to be fetched first under <files>.
- For whole tables, call pd.set_option('display.max_columns', None) and pd.set_option('display.width', 10000).

Answer in exactly this form:

<python_code>
# the script
</python_code>

<requirements>
# a list, such as ['polars'], or nothing
</requirements>

<files>
# a list, such as [{'url': 'https://…', 'mountPath': 'data.csv'}], or nothing
</files>
`;
}
