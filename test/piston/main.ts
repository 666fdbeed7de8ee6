/** The stand-in as a program, with those settings of Piston's environment that it knows: for an image of it (images/piston). */
import { startPiston, type Limits } from './server.ts';

const names = [
  'compile_timeout',
  'run_timeout',
  'compile_cpu_time',
  'run_cpu_time',
  'compile_memory_limit',
  'run_memory_limit',
  'output_max_size',
] as const satisfies (keyof Limits)[];

const limits: Partial<Limits> = {};
for (const name of names) {
  const value = process.env[`PISTON_${name.toUpperCase()}`];
  if (value !== undefined) limits[name] = Number(value);
}
const [host = '', port] = (process.env.PISTON_BIND_ADDRESS ?? '0.0.0.0:2000').split(':');
await startPiston({ limits, host, port: Number(port) });
