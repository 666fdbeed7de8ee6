import type { Exit } from './build.ts';
import type { Status } from './execution-result.ts';

interface Ended {
  status: Status;
  exit: Exit | undefined;
  loss: string | undefined;
  limits: { seconds: number; memory_mb: number };
}

/** One sentence or two: how a run ended and what to change, for a person or a model. */
export function explain({ status, exit, loss, limits }: Ended): string {
  switch (status) {
    case 'succeeded':
      return 'The code ran to its end.';
    case 'failed':
      return exit?.signal
        ? `The code was ended by ${exit.signal}${signalMeaning(exit.signal)}.`
        : `The code exited with code ${exit?.exit_code ?? 'unknown'}.`;
    case 'timed_out':
      return `The code was stopped after its limit of ${limits.seconds} s; what it had written is kept. Raise timeout_seconds, or do less.`;
    case 'out_of_memory':
      return `The code used more memory than its limit of ${limits.memory_mb} MiB. Raise limits.memory_mb, or use less at one time.`;
    case 'cancelled':
    case 'evicted':
    case 'node_lost':
    case 'unknown':
      return loss ?? 'How the code ended is not known.';
  }
}

const meanings: Record<string, string> = {
  SIGSEGV: ', an invalid memory access',
  SIGABRT: ', an abort',
  SIGFPE: ', an arithmetic fault',
  SIGILL: ', an invalid instruction',
  SIGBUS: ', a bad memory access',
  SIGKILL: ', a kill from the code itself or one of its processes',
  SIGXFSZ: ': it wrote a file that is larger than the workspace',
};

function signalMeaning(signal: string): string {
  return meanings[signal] ?? '';
}
