import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { executionRequest } from '../../../src/request/execution.ts';
import { isPython } from '../../../src/request/language.ts';
import { config } from '../../integration/harness.ts';

const settings = { ...config({ pistonUrl: 'http://piston:2000' }), pools: [{ name: 'one' }] };
const schema = executionRequest(settings);

describe('isPython', () => {
  for (const name of ['python', 'Python', 'py', 'py3', 'python3', 'python3.12']) {
    it(`${name} is`, () => {
      assert.ok(isPython(name));
    });
  }
  for (const name of ['python2', 'pypy', 'bash', 'pythonic', 'c++']) {
    it(`${name} is not`, () => {
      assert.ok(!isPython(name));
    });
  }
});

describe('a request in another language', () => {
  it('may have stdin, args, files, a time limit and memory', () => {
    const request = {
      code: 'echo 1',
      language: 'bash',
      stdin: 'a',
      args: ['b'],
      files: [{ path: 'c', content: 'd' }],
      timeout_seconds: 1,
      limits: { memory_mb: 64 },
    };
    assert.ok(schema.safeParse(request).success);
  });

  const refused: [object, string][] = [
    [{ requirements: ['six'] }, 'requirements: packages can be required for Python only'],
    [{ session_id: `ses_${'a'.repeat(26)}` }, 'session_id: sessions run Python only'],
    [{ fresh_interpreter: true }, 'fresh_interpreter: sessions run Python only'],
    [{ env: { A: 'b' } }, 'env: environment variables can be set for Python only: use args or stdin'],
    [{ limits: { cpu: 1 } }, 'limits.cpu: CPUs can be asked for in Python only'],
    [{ pool: 'one' }, 'pool: pools have sandboxes for Python only'],
  ];
  for (const [changes, message] of refused) {
    it(`may not name what a Piston has nothing for: ${Object.keys(changes).join()}`, () => {
      const parsed = schema.safeParse({ code: '', language: 'bash', ...changes });
      const issues = parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
      assert.deepEqual(issues, [`${message}; the language is "bash"`]);
      assert.ok(schema.safeParse({ code: '', language: 'py3', ...changes }).success);
    });
  }
});
