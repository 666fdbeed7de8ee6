import { z } from 'zod';
import { ServiceError } from '../result/errors.ts';
import type { Capture } from '../output/capture.ts';
import type { ImageFacts } from './key.ts';
import { factsProgram } from './programs.ts';
import { type Asker, createShared } from './shared.ts';

/** Runs a program of this server's own in a sandbox, with an environment or without. */
export type RunProgram = (
  image: string,
  program: { code: string; environment: string | null },
  signal: AbortSignal,
) => Promise<Capture>;

/** What images have: asked once of each. A failure is not remembered. */
export interface Facts {
  of(image: string, asker: Asker): Promise<ImageFacts>;
  close(): Promise<void>;
}

const answer = z.object({
  python: z.string(),
  platform: z.string(),
  packages: z.array(z.object({ name: z.string(), version: z.string(), modules: z.array(z.string()) })),
});

export function createFacts(runProgram: RunProgram): Facts {
  const known = new Map<string, ImageFacts>();
  const asked = createShared<ImageFacts>();
  return {
    async of(image, asker) {
      const found = known.get(image);
      if (found) return found;
      const read = async (signal: AbortSignal) => {
        const facts = parseFacts(
          await runProgram(image, { code: factsProgram(), environment: null }, signal),
        );
        known.set(image, facts);
        return facts;
      };
      return asked.ask(image, read, asker);
    },
    close: () => asked.close(),
  };
}

/** What the program of facts has answered. Throws ServiceError. Pure. */
export function parseFacts({ exit, stdout, stderr }: Capture): ImageFacts {
  if (exit?.exit_code === 0) {
    const parsed = answer.safeParse(parseJson(stdout.toString('utf8')));
    if (parsed.success) return parsed.data;
  }
  const words = stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
  throw new ServiceError('sandbox_failed', `The sandbox did not say which packages it has. ${words}`.trim());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
