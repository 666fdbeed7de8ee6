import { z } from 'zod';
import { inputFiles, type InputFileSettings } from './files.ts';
import { refusedElsewhere } from './language.ts';
import { type PackageSettings, requirementList } from './requirements.ts';
import { sessionId } from './session.ts';

/** Bounds that are no settings: no program needs more, and a Job carries none of it. */
const maxArgs = 256;
const maxArgBytes = 131_072;
const maxVariables = 256;

const bytes = (text: string) => Buffer.byteLength(text, 'utf8');

const wellFormed = (what: string) => ({
  error: `${what} holds half of a surrogate pair, which has no UTF-8 form`,
});

const noNul = (text: string) => !text.includes('\0');

export interface RequestSettings extends InputFileSettings, PackageSettings {
  maxCodeBytes: number;
  maxStdinBytes: number;
  pools: readonly { name: string }[];
  /** Empty where there is none. */
  pistonUrl: string;
}

/** What may be asked, given the sizes that this server takes. */
export function executionRequest(sizes: RequestSettings) {
  const pools = sizes.pools.map(({ name }) => name);
  const argument = z
    .string()
    .refine(noNul, { error: 'a NUL cannot be passed in arguments and variables' })
    .refine((text) => text.isWellFormed(), wellFormed('the text'));
  const pool = z
    .enum(pools, {
      error: (issue) => `there is no pool "${String(issue.input)}" here; there are: ${pools.join(', ')}`,
    })
    .optional()
    .describe('A pool of sandboxes, for its image. Without it the sandbox follows from the limits.');
  const request = z.strictObject({
    ...(pools.length > 0 && { pool }),
    code: z
      .string()
      .refine((text) => bytes(text) <= sizes.maxCodeBytes, {
        error: (issue) =>
          `the code is ${bytes(String(issue.input))} bytes long; the limit is ${sizes.maxCodeBytes}`,
      })
      .refine((text) => text.isWellFormed(), wellFormed('the code'))
      .describe('The program. It runs as /workspace/main.py in a fresh sandbox without network.'),
    language: language(sizes.pistonUrl),
    session_id: sessionId
      .optional()
      .describe(
        'A session (create_session): the code finds variables, imports, files and working directory as the last run left them. Its requirements and limits are the session’s.',
      ),
    fresh_interpreter: z
      .boolean()
      .default(false)
      .describe(
        'With session_id: start over. The code sees the session’s files; its variables are gone. Such a run may have requirements beside the session’s.',
      ),
    stdin: z
      .string()
      .refine((text) => bytes(text) <= sizes.maxStdinBytes, {
        error: (issue) =>
          `stdin is ${bytes(String(issue.input))} bytes long; the limit is ${sizes.maxStdinBytes}`,
      })
      .refine((text) => text.isWellFormed(), wellFormed('stdin'))
      .default('')
      .describe('What the program reads from its standard input.'),
    args: z
      .array(argument)
      .max(maxArgs)
      .refine((args) => bytes(args.join('')) <= maxArgBytes, {
        error: `the arguments are longer than ${maxArgBytes} bytes together`,
      })
      .default([])
      .describe('Command line arguments: sys.argv[1:].'),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name has letters, digits and underscores'),
        argument,
      )
      .refine((env) => Object.keys(env).length <= maxVariables, {
        error: `more than ${maxVariables} variables`,
      })
      .refine((env) => bytes(Object.values(env).join('')) <= maxArgBytes, {
        error: `the variables are longer than ${maxArgBytes} bytes together`,
      })
      .default({})
      .describe('Environment variables.'),
    files: inputFiles(sizes),
    requirements: requirementList(sizes),
    timeout_seconds: z
      .number()
      .positive()
      .optional()
      .describe('Wall-clock limit. A longer one than the server allows is lowered to it.'),
    limits: z
      .strictObject({
        cpu: z.number().min(0.05).optional().describe('CPUs.'),
        memory_mb: z.number().int().min(64).optional().describe('Memory in MiB.'),
      })
      .default({})
      .describe('Resources. More than the server allows is lowered to it.'),
  });
  return request.superRefine((asked, context) => {
    for (const refusal of refusedElsewhere(asked)) context.addIssue({ code: 'custom', ...refusal });
  });
}

/** What the code is written in. */
function language(pistonUrl: string) {
  const name =
    pistonUrl === ''
      ? z.enum(['python'], {
          error: (issue) => `there is no language "${String(issue.input)}" here; there is: python`,
        })
      : z.string().regex(/^[A-Za-z0-9_+#.-]{1,64}$/, 'a language of list_runtimes');
  const others =
    pistonUrl === ''
      ? ''
      : ' Those of list_runtimes beside Python run apart, with code, stdin, args and files only.';
  return name.default('python').describe(`The language of the code.${others}`);
}

export type ExecutionRequestSchema = ReturnType<typeof executionRequest>;
export type ExecutionRequest = z.infer<ExecutionRequestSchema>;
export type ExecutionRequestInput = z.input<ExecutionRequestSchema>;
