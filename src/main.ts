#!/usr/bin/env node
import { doctor } from './command/doctor.ts';
import { parseRunArguments } from './command/run-arguments.ts';
import { runFile } from './command/run-file.ts';
import { serve } from './command/serve.ts';
import { stdio } from './command/stdio.ts';
import { ConfigError } from './config.ts';
import { errorKinds, ServiceError } from './result/errors.ts';

const usage = `Usage:
  vivarium serve             MCP and REST over HTTP
  vivarium stdio             MCP over stdin and stdout, for desktop clients
      --dialect NAME         the tools of another system: docs/dialects
  vivarium run [options] FILE [args]
                             one execution of a file; exits as its code does
      --file PATH[=SOURCE]   a file of this machine, for the program at mounts/PATH
      --require PACKAGE      a package that the program imports, such as polars or "httpx>=0.27"
      --output FOLDER        where to put the figures and what the program writes to output/
  vivarium doctor            what this machine, cluster and account allow
Settings are environment variables: docs/configuration.md.`;

const [command, ...rest] = process.argv.slice(2);

try {
  process.exitCode = await start(command, rest);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

async function start(name: string | undefined, args: string[]): Promise<number> {
  if (name === 'serve' && args.length === 0) return serve();
  if (name === 'stdio' && args.length === 0) return stdio();
  if (name === 'stdio' && args[0] === '--dialect' && args[1] !== undefined && args.length === 2) {
    return stdio(args[1]);
  }
  if (name === 'doctor' && args.length === 0) return doctor();
  const run = name === 'run' && parseRunArguments(args);
  if (run) return runFile(run);
  const isHelp = name === 'help' || name === '--help';
  console[isHelp ? 'log' : 'error'](usage);
  return isHelp ? 0 : 2;
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return `vivarium: wrong settings\n${error.message}`;
  if (error instanceof ServiceError) return `vivarium: ${error.message}\n${errorKinds[error.code].hint}`;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `vivarium: ${error.message}\nSet VIVARIUM_PORT, VIVARIUM_PROBE_PORT or VIVARIUM_DIALECTS to free ports.`;
  }
  return `vivarium: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
