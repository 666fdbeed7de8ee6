import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pythonInterpreter } from '../../src/serve/dialects/python-interpreter/python-interpreter.ts';
import { dialectDoor } from './dialect-door.ts';

const door = (t: TestContext, options: Parameters<typeof dialectDoor>[2] = {}) =>
  dialectDoor(t, pythonInterpreter, options);

describe('the files of Onyx', () => {
  it('refuses more files than a request may have', async (t) => {
    const opened = await door(t, { settings: { inputFiles: 1 } });
    const files = ['a', 'b'].map((path) => ({ path, file_id: 'x' }));
    assert.equal((await opened.post('/v1/execute', { code: '', files })).status, 413);
  });

  it('refuses the name of a file that could not be told again', async (t) => {
    const opened = await door(t);
    for (const name of ['a'.repeat(5000), '../a', 'a%00%00%D8']) {
      const filename = name.includes('%') ? `filename*=utf-16le''${name}` : `filename="${name}"`;
      const body = `--X\r\nContent-Disposition: form-data; name="file"; ${filename}\r\n\r\nabc\r\n--X--\r\n`;
      const headers = { 'content-type': 'multipart/form-data; boundary=X' };
      const answer = await opened.ask('/v1/files', { method: 'POST', headers, body });
      assert.equal(answer.status, 422, name.slice(0, 20));
      assert.match(await answer.text(), /a path is relative|too_big|Too big/);
    }
  });
});
