import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Agent, fetch } from 'undici';
import { ServiceError } from '../../src/result/errors.ts';
import { pythonInterpreter } from '../../src/serve/dialects/python-interpreter/python-interpreter.ts';
import { connect } from '../e2e/harness/clients.ts';
import { dialectDoor } from './dialect-door.ts';

describe('execute_python_code', () => {
  async function client(t: TestContext, options: Parameters<typeof dialectDoor>[2] = {}) {
    const opened = await dialectDoor(t, pythonInterpreter, options);
    const agent = new Agent();
    const fetchOnce = (url: string | URL, init?: RequestInit) =>
      fetch(url, { ...(init as object), dispatcher: agent }) as Promise<unknown> as Promise<Response>;
    const connected = await connect('v2 modern', `${opened.url}/mcp`, { fetch: fetchOnce });
    t.after(async () => {
      await connected.close();
      await agent.destroy();
    });
    return { opened, connected };
  }

  it('answers with what the REST service does, as text and as structure', async (t) => {
    const { opened, connected } = await client(t);
    assert.deepEqual(await connected.tools(), ['execute_python_code']);
    opened.script = ({ code }) => ({ stdout: `${code}\n` });
    const expected = { stdout: 'x\n', stderr: '', exit_code: 0, files: {} };
    const answer = await connected.tool('execute_python_code', { source_code: 'x' });
    assert.deepEqual(answer.content, [{ type: 'text', text: JSON.stringify(expected) }]);
    assert.deepEqual(answer.structuredContent, expected);
  });

  it('tells of errors in the same shape', async (t) => {
    const { opened, connected } = await client(t);
    opened.script = () => {
      throw new ServiceError('internal', 'It broke.');
    };
    const { structuredContent, isError } = await connected.tool('execute_python_code', { source_code: 'x' });
    const { stderr, ...rest } = structuredContent as { stderr: string };
    assert.deepEqual([rest, isError ?? false], [{ stdout: '', exit_code: 1, files: {} }, false]);
    assert.match(stderr, /^HTTP error 500: \{"detail":"It broke\./);
  });

  it('tells nobody in the same shape', async (t) => {
    const { connected } = await client(t, { settings: { callerHeader: 'x-user' } });
    const { structuredContent } = await connected.tool('execute_python_code', { source_code: 'x' });
    assert.match((structuredContent as { stderr: string }).stderr, /^HTTP error 401: /);
  });
});
