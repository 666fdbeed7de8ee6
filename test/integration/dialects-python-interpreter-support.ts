import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { ExecutionRequest } from '../../src/request/execution.ts';
import { pythonInterpreter } from '../../src/serve/dialects/python-interpreter/python-interpreter.ts';
import { dialectDoor } from './dialect-door.ts';

export const door = (t: TestContext, settings = {}) => dialectDoor(t, pythonInterpreter, { settings });

/** Runs the door's own program, with sources that are ours, as a sandbox would. */
async function python({ code, stdin, env }: ExecutionRequest) {
  const child = spawn('/usr/bin/python3', ['-I', '-c', code], { env });
  child.stdin.end(stdin);
  const [stdout, stderr, exit_code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  return {
    status: exit_code === 0 ? ('succeeded' as const) : ('failed' as const),
    exit_code,
    stdout,
    stderr,
  };
}

export async function parsed(t: TestContext, tool_source_code: string) {
  const opened = await door(t);
  opened.script = python;
  const { status, body } = await opened.post('/v1/parse-custom-tool', { tool_source_code });
  return { status, body: body as Record<string, string> };
}

export async function called(t: TestContext, tool_source_code: string, input: unknown, env = {}) {
  const opened = await door(t);
  opened.script = python;
  const tool_input_json = typeof input === 'string' ? input : JSON.stringify(input);
  const { status, body } = await opened.post('/v1/execute-custom-tool', {
    tool_source_code,
    tool_input_json,
    env,
  });
  return { status, body: body as Record<string, string> };
}
