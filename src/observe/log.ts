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

export type { Logger };
