import { z } from 'zod';
import type { PistonPackage, PistonRuntime, PistonStage } from './piston.ts';

const text = z.string();
// Older Pistons leave out what newer ones say of a stage.
const orNull = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? null);
const amount = orNull(z.number().nonnegative());

const stage = z.object({
  signal: orNull(text),
  stdout: text,
  stderr: text,
  code: orNull(z.number().int().min(0).max(255)),
  output: text,
  memory: amount,
  message: orNull(text),
  status: orNull(z.enum(['RE', 'SG', 'TO', 'OL', 'EL', 'XX'])),
  cpu_time: amount,
  wall_time: amount,
}) satisfies z.ZodType<PistonStage>;

/** What Piston answers, as far as it is used. */
export const executed = z
  .object({ compile: stage.optional(), run: stage, language: text, version: text })
  .transform(({ compile, ...rest }) => ({ ...(compile && { compile }), ...rest }));

export const runtimeList = z.array(
  z
    .object({ language: text, version: text, aliases: z.array(text), runtime: text.nullish() })
    .transform(({ runtime, ...rest }): PistonRuntime => ({ ...rest, ...(runtime != null && { runtime }) })),
);

export const packageList = z.array(
  z.object({ language: text, language_version: text, installed: z.boolean() }),
) satisfies z.ZodType<PistonPackage[]>;

/** The 400 that says what is wrong. */
export const refusal = z.object({ message: text });

/** The 400 that is the stack of an error, to which nobody saw. */
export const thrown = z.object({ stack: text });
