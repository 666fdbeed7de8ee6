import { z } from 'zod';

export const seconds = z.number().positive().max(86_400);
export const age = z.number().positive().max(31_536_000);
/** As long as a timer can wait, and less. */
export const session = z.number().positive().max(2_000_000);
export const count = z.number().int().positive();
export const megabytes = z.number().int().min(16).max(1_048_576);
export const port = z.number().int().min(0).max(65_535);
export const MiB = 1_048_576;

/** Where a server is reached by others. What is made of a pod's address may lack the brackets that IPv6 needs in a URL. */
export const peerUrl = z.preprocess(
  (text) =>
    typeof text === 'string' ? text.replace(/^(https?:\/\/)([\da-f]*:[\da-f:]+)(:\d+)$/i, '$1[$2]$3') : text,
  z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
);

/** A pool as it is configured: what it leaves out is as for other runs. */
export const pool = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, 40 at most'),
  image: z.string().min(1).optional(),
  runtimeClass: z.string().optional(),
  cpu: z.number().positive().optional(),
  memoryMb: megabytes.optional(),
  preload: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'the name of a module')
        .max(100),
    )
    .max(64)
    .default([]),
  min: z.number().int().min(0).max(1000),
  max: z.number().int().min(1).max(1000),
});
