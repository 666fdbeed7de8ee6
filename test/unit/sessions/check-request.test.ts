import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { executionRequest, type ExecutionRequestInput } from '../../../src/request/execution.ts';
import { checkRequest } from '../../../src/sessions/turn.ts';
import { config } from '../support/settings.ts';

const schema = executionRequest(config());
const session = { code: '1', session_id: 'ses_abcdefghijklmnopqrstuvwxyz' };
const requirements = ['polars'];

describe('what a run may ask of its session', () => {
  const cases: [given: Partial<ExecutionRequestInput>, fault: RegExp | undefined][] = [
    [{}, undefined],
    [{ timeout_seconds: 5, stdin: 'a', args: ['b'] }, undefined],
    [{ requirements }, /^requirements: /],
    [{ requirements, fresh_interpreter: true }, undefined],
    [{ limits: { memory_mb: 100 }, fresh_interpreter: true }, /^limits: /],
    [{ requirements, limits: { cpu: 1 } }, /^requirements, limits: /],
  ];
  for (const [given, fault] of cases) {
    it(`${JSON.stringify(given)} is ${fault ? 'refused' : 'taken'}`, () => {
      const check = () => {
        checkRequest(schema.parse({ ...session, ...given }));
      };
      if (fault) assert.throws(check, { code: 'invalid_request', message: fault });
      else check();
    });
  }
});
