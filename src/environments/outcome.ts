import { z } from 'zod';
import type { Capture } from '../output/capture.ts';
import { ServiceError } from '../result/errors.ts';
import type { SandboxLost } from '../schedule/backend.ts';

const described = {
  key: z.string(),
  requirements: z.array(z.string()),
  bytes: z.number(),
  created: z.string(),
  shadows: z.array(z.string()),
};

const answer = z.object({
  ...described,
  /** Whether it was there before. */
  existing: z.boolean(),
  /** Environments that are there and not on record. */
  unrecorded: z.array(z.object(described)),
});

/** What a builder says when it has built. */
export type Built = z.infer<typeof answer>;

export interface BuildLimits {
  buildSeconds: number;
  buildMemoryMb: number;
}

/** What came of a build whose sandbox has ended. Throws ServiceError. Pure. */
export function outcomeOf(
  { exit, stdout, stderr }: Pick<Capture, 'exit' | 'stdout' | 'stderr'>,
  lost: SandboxLost | undefined,
  { buildSeconds, buildMemoryMb }: BuildLimits,
): Built {
  const text = stderr.toString('utf8');
  const cause = exit?.cause ?? lost?.cause ?? 'unknown';
  if (cause === 'timed_out') {
    const last = text.trim().split('\n').at(-1) ?? '';
    const words = last && ` The last that it said: ${last}`;
    throw new ServiceError(
      'build_timeout',
      `The environment was not built within ${buildSeconds} s.${words}`,
    );
  }
  if (cause === 'out_of_memory') {
    throw new ServiceError(
      'build_failed',
      `The build took more than ${buildMemoryMb} MiB of memory, which is what it may.`,
    );
  }
  if (exit?.exit_code === 0) return parse(stdout.toString('utf8'));
  if (exit?.exit_code === 1) throw new ServiceError('build_failed', lastPart(text));
  if (exit?.exit_code === 3) {
    throw new ServiceError(
      'index_unavailable',
      `The build did not reach the package index: ${lastPart(text)}`,
    );
  }
  if (exit?.exit_code === 2) {
    throw new ServiceError(
      'environments_unavailable',
      `Environments cannot be built here: ${lastPart(text)}`,
    );
  }
  const why = lost?.message ?? `It ended by ${exit?.signal ?? `code ${exit?.exit_code ?? '?'}`}.`;
  throw new ServiceError('sandbox_failed', `The sandbox of the build failed: ${why}`);
}

/** What follows the last empty line: before it stands how far the build was. */
function lastPart(text: string): string {
  return `\n${text}`.split('\n\n').at(-1)?.trim() ?? '';
}

function parse(text: string): Built {
  try {
    return answer.parse(JSON.parse(text));
  } catch (error) {
    throw new ServiceError('internal', 'The builder gave an answer that is none.', { cause: error });
  }
}
