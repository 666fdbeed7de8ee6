import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { newExecutionId } from '../../../request/execution-id.ts';
import type { ExecutionResult } from '../../../result/execution-result.ts';
import type { Behind } from '../dialect.ts';
import { HttpError } from '../fastapi.ts';
import { notesOf, withLines } from '../notes.ts';
import type { Call } from '../with-files.ts';
import { checkRequest } from './execute.ts';

/** BeeAI gives a program so long. */
const runSeconds = 60;

/** A function of Python as a tool: what a client wrote is parsed and called in a sandbox alone. */
const programs = { parse: programOf('parse_tool'), call: programOf('call_tool') };

export const parseToolBody = z.object({ tool_source_code: z.string() });

export const executeToolBody = z.object({
  tool_source_code: z.string(),
  tool_input_json: z.string(),
  env: z.record(z.string(), z.string()).default({}),
});

/** The tool is not what it must be, or has failed: 400 with this body. */
export class ToolError extends Error {
  override name = 'ToolError';
  readonly body: { error_messages: string[] } | { stderr: string };

  constructor(body: ToolError['body']) {
    super('The tool failed.');
    this.body = body;
  }
}

const parsed = z.union([
  z.object({ error_messages: z.array(z.string()) }),
  z.object({ tool_name: z.string(), tool_input_schema_json: z.string(), tool_description: z.string() }),
]);

/** POST /v1/parse-custom-tool. Throws ToolError, HttpError, ServiceError. */
export async function parseTool(
  behind: Behind,
  { tool_source_code }: z.infer<typeof parseToolBody>,
  call: Call,
): Promise<object> {
  const result = await runProgram(behind, 'parse', { tool_source_code }, {}, call);
  const said = result.status === 'succeeded' ? parsed.safeParse(jsonOf(result.stdout)).data : undefined;
  if (!said) throw new HttpError(500, withLines(result.stderr, [result.message]));
  if ('error_messages' in said) throw new ToolError(said);
  return said;
}

/** POST /v1/execute-custom-tool. Throws as the other does. */
export async function executeTool(
  behind: Behind,
  { env, ...input }: z.infer<typeof executeToolBody>,
  call: Call,
): Promise<{ tool_output_json: string }> {
  return toolAnswerOf(await runProgram(behind, 'call', input, env, call));
}

/** What a tool's run comes to. */
export function toolAnswerOf(result: ExecutionResult): { tool_output_json: string } {
  const { status, stdout, stderr, truncated } = result;
  const isWhole = status === 'succeeded' && !truncated;
  if (isWhole && isJsonOfPython(stdout)) return { tool_output_json: stdout.trimEnd() };
  if (status === 'timed_out') throw new ToolError({ stderr: 'Execution timed out' });
  const notes = isWhole ? ['The tool ended without a result.'] : notesOf(result, []);
  throw new ToolError({ stderr: withLines(stderr, notes) });
}

/** Python's JSON has numbers that others have not. */
function isJsonOfPython(text: string): boolean {
  return jsonOf(text.replaceAll(/NaN|Infinity/g, '0')) !== undefined;
}

async function runProgram(
  { service, requestSchema, settings }: Behind,
  task: keyof typeof programs,
  input: object,
  env: Record<string, string>,
  { caller, signal }: Call,
): Promise<ExecutionResult> {
  const timeout_seconds = Math.min(runSeconds, settings.maxTimeoutSeconds);
  const given = { code: programs[task], stdin: JSON.stringify(input), env, timeout_seconds };
  const request = checkRequest(requestSchema, given, { stdin: 'tool_source_code' });
  return await service.execute(request, { executionId: newExecutionId(), caller, signal, artifacts: false });
}

/** One of the programs beside this file, and before it the module that they share. */
function programOf(name: string): string {
  return `import sys, types
sys.modules["tool_types"] = types.ModuleType("tool_types")
exec(compile(${JSON.stringify(sourceOf('tool_types'))}, "tool_types.py", "exec"), vars(sys.modules["tool_types"]))
${sourceOf(name)}`;
}

function sourceOf(name: string): string {
  return readFileSync(new URL(`${name}.py`, import.meta.url), 'utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
