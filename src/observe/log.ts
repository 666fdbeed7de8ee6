import { inspect } from 'node:util';
import { destination, pino, type Logger } from 'pino';

/** JSON lines on stderr: stdout belongs to MCP over stdio, and to the output of `vivarium run`. */
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (name) => ({ level: name }) },
    },
    destination({ fd: 2, sync: true }),
  );
}

/** An error's message, and those of what caused it. */
export function why(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause !== undefined && messages.length < 5;) {
    messages.push(
      cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : inspect(cause),
    );
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return messages.join(': ');
}

export type { Logger };
