import { resultOf, type Caller } from '../../test/e2e/harness/clients.ts';
import type { ExecutionResult } from '../../src/result/execution-result.ts';
import { stopwatch, type Arm, type Marks } from './arm.ts';

/** Vivarium over MCP; the pool, or its absence, is the server's. */
export function vivariumArm(name: 'warm' | 'cold', caller: Caller): Arm {
  return {
    name,
    async run({ code }, signal) {
      const clock = stopwatch();
      const answer = await caller.call({ code }, { signal });
      const seconds = clock();
      const result = resultOf(answer);
      const { exit_code: exitCode, stdout, stderr } = result;
      return { exitCode, stdout, stderr, seconds, marks: marksOf(result) };
    },
  };
}

/** The phases that the server tells of. */
export function marksOf({ timings }: ExecutionResult): Marks {
  const known = Object.entries(timings).filter((entry): entry is [string, number] => entry[1] !== null);
  return Object.fromEntries(known);
}
