/** Who calls a tool of a dialect, where the operator has set up a header that says it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pistom } from '../../src/serve/dialects/pistom.ts';
import { primcs } from '../../src/serve/dialects/primcs/primcs.ts';
import { pythonExecutor } from '../../src/serve/dialects/python-executor/python-executor.ts';
import { pythonInterpreter } from '../../src/serve/dialects/python-interpreter/python-interpreter.ts';
import { dialectDoor, type Program } from './dialects-workspaces.ts';

const settings = { callerHeader: 'x-caller' };
const code = { code: 'x' };

for (const [dialect, name, given, unknown] of [
  [pistom, 'run_python_code', code, 'Error: The request has no header x-caller, '],
  [primcs, 'run_code', code, "Error calling tool 'run_code': The request has no header x-caller, "],
  [pythonExecutor, 'execute_python', code, 'Execution error: The request has no header x-caller, '],
  [
    pythonInterpreter,
    'execute_python_code',
    { source_code: 'x' },
    'HTTP error 401: {"detail":"The request has no header x-caller, ',
  ],
] as const) {
  describe(`a caller of ${dialect.name}`, () => {
    const call = { id: 7, method: 'tools/call', params: { name, arguments: given } };
    const post = (url: string, message: object, caller: object) =>
      fetch(`${url}/mcp/`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-session-id': 'one',
          ...caller,
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });

    it('who is unknown is told so in its words', async (t) => {
      const { url } = await dialectDoor(t, dialect, { settings });
      const said = (await (await post(url, call, {})).text()).replaceAll(/\\+"/g, '"');
      assert.ok(said.includes(unknown), said);
      assert.ok(!said.includes('unauthenticated: '), said);
    });

    it('cancels what is his by a message', async (t) => {
      let running: string | undefined;
      const begun = Promise.withResolvers<undefined>();
      const goesOn = Promise.withResolvers<undefined>();
      const program: Program = async (_request, _workspace, { requestKey }) => {
        running = requestKey;
        begun.resolve(undefined);
        await goesOn.promise;
        return {};
      };
      const { url, behind } = await dialectDoor(t, dialect, { settings, program });
      const cancelled: unknown[] = [];
      behind.service.cancelRequest = async (...[key]: unknown[]) => {
        cancelled.push(key);
        await Promise.resolve();
      };
      const alice = { 'x-caller': 'alice' };
      const answer = post(url, call, alice);
      await begun.promise;
      await post(url, { method: 'notifications/cancelled', params: { requestId: 7 } }, alice);
      goesOn.resolve(undefined);
      await (await answer).text();
      assert.ok(running !== undefined);
      assert.deepEqual(cancelled, [running]);
    });
  });
}
