import type { Tool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { newExecutionId } from '../../../request/execution-id.ts';
import { requirementList } from '../../../request/requirements.ts';
import { describeError } from '../../../result/errors.ts';
import type { RunEvent } from '../../../schedule/run.ts';
import { logFailure } from '../../errors.ts';
import type { Behind } from '../dialect.ts';
import { installNoted, timedOut } from './install.ts';
import { installedBy, noteInstalled } from './installed.ts';
import { installationText, packagesText, resultText } from './texts.ts';
import { createTurns, type InTurn } from './turns.ts';

const runSeconds = 30;
/** The longest time that a call may install, waiting for its turn included. */
const installSeconds = 60;
/** Packages that a call may name. */
const mostPackages = 50;

/** The tools of MCP Python Executor, as it describes them. */
export const definitions: Tool[] = [
  {
    name: 'install_dependencies',
    description: 'Install Python packages; they are there for the next execute_python, too',
    inputSchema: {
      type: 'object',
      properties: {
        packages: {
          type: 'array',
          items: { type: 'string' },
          description: 'List of package names to install, with versions where these matter',
        },
      },
      required: ['packages'],
    },
  },
  {
    name: 'execute_python',
    description: 'Execute Python code in a fresh sandbox. Print what you want to see',
    inputSchema: {
      type: 'object',
      properties: { code: { type: 'string', description: 'Python code to execute' } },
      required: ['code'],
    },
  },
  {
    name: 'list_installed_packages',
    description: 'List currently installed packages',
    inputSchema: { type: 'object', properties: {} },
  },
];

export interface ToolCall {
  caller: string;
  requestKey: string | undefined;
  signal: AbortSignal;
  onEvent: (event: RunEvent) => void;
}

/** What a tool says, in MCP and over HTTP. */
export interface Said {
  content: { type: 'text'; text: string }[];
  isError: boolean;
}

/** What a tool says, and the error of the service that this tells of, if it does. */
export interface Answer {
  said: Said;
  error: unknown;
}

type Tools = (name: string, given: unknown, call: ToolCall) => Promise<Answer>;

const codeArguments = z.object({ code: z.string() });
const packageArguments = z.object({
  packages: z
    .array(z.string())
    .max(mostPackages, { error: `there are more than ${mostPackages}: install fewer at one time` }),
});

/** A call of a tool by its name. Errors are answers, too; only the signal's reason is thrown. */
export function toolsOf(behind: Behind): Tools {
  const { settings } = behind;
  const schema = requirementList(settings);
  const inTurn = createTurns();
  const callTool = async (name: string, given: unknown, call: ToolCall): Promise<Said> => {
    switch (name) {
      case 'execute_python':
        return await withArguments(codeArguments, given, ({ code }) => execute(behind, schema, code, call));
      case 'install_dependencies':
        return await withArguments(packageArguments, given, ({ packages }) =>
          installAll(behind, schema, inTurn, packages, call),
        );
      case 'list_installed_packages':
        return said(await list(behind, schema, call));
      default:
        return failed(`Unknown tool: ${name}`);
    }
  };
  return async (name, given, call) => {
    try {
      return { said: await callTool(name, given, call), error: undefined };
    } catch (error) {
      call.signal.throwIfAborted();
      logFailure(behind.log, name, error);
      return { said: failureOf(name, error), error };
    }
  };
}

/** How a text begins that says why a tool could not do it. */
const failures: Record<string, string> = {
  execute_python: 'Execution error',
  install_dependencies: 'Installation error',
  list_installed_packages: 'Failed to list packages',
};

/** What a tool says that could not do it. */
export function failureOf(name: string, error: unknown): Said {
  const { message, hint } = describeError(error).body.error;
  return failed(`${failures[name] ?? 'Error'}: ${message} ${hint}`);
}

type RequirementsSchema = ReturnType<typeof requirementList>;

async function execute(
  { service, requestSchema, shelf, settings }: Behind,
  schema: RequirementsSchema,
  code: string,
  { caller, requestKey, signal, onEvent }: ToolCall,
): Promise<Said> {
  const seconds = Math.min(runSeconds, settings.maxTimeoutSeconds);
  const requirements = await installedBy(shelf, schema, caller, signal);
  const parsed = requestSchema.safeParse({ code, requirements, timeout_seconds: seconds });
  if (!parsed.success)
    return failed(`Execution error: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
  const result = await service.execute(parsed.data, {
    executionId: newExecutionId(),
    caller,
    ...(requestKey !== undefined && { requestKey }),
    signal,
    artifacts: false,
    onEvent,
  });
  return said(resultText(result, seconds));
}

/** One installation at a time for a caller: two that are built beside the same packages may not go together. */
async function installAll(
  { shelf, offers }: Behind,
  schema: RequirementsSchema,
  inTurn: InTurn,
  packages: string[],
  { caller, signal, onEvent }: ToolCall,
): Promise<Said> {
  const build = (requirements: string[], buildSignal: AbortSignal) =>
    offers.listPackages(requirements, {
      signal: buildSignal,
      onProgress: (message) => {
        onEvent({ type: 'building', message });
      },
    });
  const notes = {
    read: () => installedBy(shelf, schema, caller, signal),
    add: (requirements: readonly string[]) => noteInstalled(shelf, caller, requirements, signal),
  };
  const overdue = AbortSignal.timeout(installSeconds * 1000);
  const installations = await inTurn(caller, AbortSignal.any([signal, overdue]), () =>
    installNoted(packages, notes, { schema, build, signal, overdue }),
  ).catch((error: unknown) => {
    if (error !== overdue.reason) throw error;
    return packages.map((each) => ({ package: each, ...timedOut }));
  });
  return said(installationText(installations));
}

async function list(
  { shelf, offers }: Behind,
  schema: RequirementsSchema,
  { caller, signal, onEvent }: ToolCall,
): Promise<string> {
  const installed = await installedBy(shelf, schema, caller, signal);
  const onProgress = (message: string) => {
    onEvent({ type: 'building', message });
  };
  return packagesText(await offers.listPackages(installed, { signal, onProgress }));
}

async function withArguments<T>(
  schema: z.ZodType<T>,
  given: unknown,
  work: (given: T) => Promise<Said>,
): Promise<Said> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return await work(parsed.data);
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return failed(`Input validation error: ${faults.join('; ')}`);
}

function said(text: string, isError = false): Said {
  return { content: [{ type: 'text', text }], isError };
}

function failed(text: string): Said {
  return said(text, true);
}
