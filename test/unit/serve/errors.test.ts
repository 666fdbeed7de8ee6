import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger } from '../../../src/observe/log.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import { stops } from '../../../src/schedule/stop.ts';
import { errorHandler, logFailure } from '../../../src/serve/errors.ts';

function logged(error: unknown): [level: string, about: { path: string; why: string }][] {
  const lines: ReturnType<typeof logged> = [];
  const level = (name: string) => (about: { path: string; why: string }) => lines.push([name, about]);
  logFailure({ warn: level('warn'), error: level('error') } as unknown as Logger, '/path', error);
  return lines;
}

describe('logFailure', () => {
  it('says what caused a failure of the service', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new ServiceError('artifacts_unavailable', 'The store failed.', { cause });
    assert.deepEqual(logged(error), [['warn', { path: '/path', why: 'The store failed.: ECONNREFUSED' }]]);
  });

  it('shows the stack of what nobody expects', () => {
    const error = new Error('unexpected');
    assert.deepEqual(logged(error), [['error', { path: '/path', why: error.stack }]]);
  });

  it('takes it for no failure that a caller went away', () => {
    assert.deepEqual(logged(stops.clientGone()), []);
  });

  it('leaves to callers what is theirs', () => {
    assert.deepEqual(logged(new ServiceError('invalid_request', 'No.')), []);
    assert.deepEqual(logged(new ServiceError('workspace_full', 'There is no room for "secret.txt".')), []);
  });
});

describe('errorHandler', () => {
  it('logs no handle of a session', () => {
    const paths: string[] = [];
    const log = { error: ({ path }: { path: string }) => paths.push(path) } as unknown as Logger;
    const res = { headersSent: true, end: () => undefined };
    for (const path of [
      '/v1/sessions',
      '/v1/sessions/ses_a',
      '/v1/sessions/ses_a/files/b/c',
      '/V1/Sessions/ses_a/Files/b/c',
      '/v1/packages',
    ]) {
      void errorHandler(log)(new Error('unexpected'), { path } as never, res as never, () => undefined);
    }
    assert.deepEqual(paths, [
      '/v1/sessions',
      '/v1/sessions/{id}',
      '/v1/sessions/{id}/files',
      '/V1/Sessions/{id}/Files',
      '/v1/packages',
    ]);
  });
});
