import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  describeError,
  errorKinds,
  isOfRequest,
  ServiceError,
  type ErrorCode,
} from '../../../src/result/errors.ts';

describe('errorKinds', () => {
  it('has an HTTP status and a hint for each', () => {
    for (const [code, { http, hint }] of Object.entries(errorKinds)) {
      assert.match(code, /^[a-z]+(_[a-z]+)*$/);
      assert.ok(http >= 400 && http < 600, code);
      assert.match(hint, /^[A-Z].*\.$/, code);
    }
  });

  const expected: Record<ErrorCode, [http: number, retryable: boolean]> = {
    invalid_request: [400, false],
    unauthenticated: [401, false],
    not_found: [404, false],
    too_large: [413, false],
    file_refused: [403, false],
    file_unavailable: [502, true],
    build_failed: [422, false],
    build_timeout: [504, true],
    index_unavailable: [503, true],
    environments_unavailable: [501, false],
    artifacts_unavailable: [503, true],
    session_ended: [410, false],
    too_many_sessions: [429, true],
    session_unreachable: [503, true],
    file_not_found: [404, false],
    file_unusable: [422, false],
    workspace_full: [507, false],
    piston_unavailable: [503, true],
    piston_failed: [502, true],
    queue_full: [429, true],
    queue_timeout: [503, true],
    shutting_down: [503, true],
    cancelled: [499, true],
    image_pull_failed: [503, true],
    quota_exceeded: [503, true],
    unschedulable: [503, true],
    forbidden: [500, false],
    sandbox_failed: [500, true],
    start_timeout: [504, true],
    cluster_unreachable: [503, true],
    internal: [500, false],
  };
  it('keeps what callers rely on', () => {
    const actual = Object.fromEntries(
      Object.entries(errorKinds).map(([code, { http, retryable }]) => [code, [http, retryable]]),
    );
    assert.deepEqual(actual, expected);
  });
});

describe('describeError', () => {
  it('says what is known of a service error', () => {
    assert.deepEqual(describeError(new ServiceError('queue_full', 'Too many.', { retryAfterSeconds: 2 })), {
      http: 429,
      body: {
        error: {
          code: 'queue_full',
          message: 'Too many.',
          hint: errorKinds.queue_full.hint,
          retryable: true,
          retry_after_seconds: 2,
        },
      },
    });
  });

  it('keeps the inside of an unexpected error in', () => {
    for (const thrown of [new Error('password=secret'), 'secret', undefined]) {
      assert.deepEqual(describeError(thrown), {
        http: 500,
        body: {
          error: {
            code: 'internal',
            message: 'The service failed in a way that it does not know.',
            hint: errorKinds.internal.hint,
            retryable: false,
            retry_after_seconds: null,
          },
        },
      });
    }
  });
});

describe('isOfRequest', () => {
  const table: [code: ErrorCode, expected: boolean][] = [
    ['file_unusable', true],
    ['workspace_full', true],
    ['file_unavailable', true],
    ['sandbox_failed', false],
    ['session_unreachable', false],
  ];
  for (const [code, expected] of table) {
    it(`is ${expected} of ${code}`, () => {
      assert.equal(isOfRequest(new ServiceError(code, 'Why.')), expected);
    });
  }
});

describe('ServiceError', () => {
  it('keeps its cause, if it has one', () => {
    const cause = new Error('inner');
    assert.equal(new ServiceError('internal', 'outer', { cause }).cause, cause);
    assert.ok(!('cause' in new ServiceError('internal', 'outer')));
  });
});
