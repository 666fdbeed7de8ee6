import { rest } from '../../test/e2e/harness/rest.ts';
import { executionResult } from '../../src/result/execution-result.ts';
import { stopwatch, type Arm } from './arm.ts';
import { marksOf } from './vivarium.ts';

/** The same server and pool over REST: what is left of the difference is MCP's. */
export function restArm(url: string): Arm {
  return {
    name: 'rest',
    async run({ code }) {
      const clock = stopwatch();
      const { status, body } = await rest('POST', `${url}/v1/executions`, { code });
      const seconds = clock();
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
      const result = executionResult.parse(body);
      const { exit_code: exitCode, stdout, stderr } = result;
      return { exitCode, stdout, stderr, seconds, marks: marksOf(result) };
    },
  };
}
