import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '../../../src/artifacts/blobs.ts';
import { explained } from '../../../src/artifacts/s3-errors.ts';

const error = (name: string, code?: string, httpStatusCode = 500) =>
  Object.assign(new Error('bucket secret at 10.0.0.1'), {
    name,
    $metadata: { httpStatusCode },
    ...(code !== undefined && { code }),
  });

describe('explained', () => {
  for (const [given, message] of [
    [error('Error', 'ECONNREFUSED'), 'it does not answer (ECONNREFUSED)'],
    [error('Error', 'ENOTFOUND'), 'it does not answer (ENOTFOUND)'],
    [error('TimeoutError', 'ETIMEDOUT'), 'it does not answer (ETIMEDOUT)'],
    [error('TimeoutError'), 'it does not answer in time'],
    [
      error('Error', 'SELF_SIGNED_CERT_IN_CHAIN'),
      'its certificate is not trusted (SELF_SIGNED_CERT_IN_CHAIN)',
    ],
    [
      error('Error', 'ERR_TLS_CERT_ALTNAME_INVALID'),
      'its certificate is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
    [error('CredentialsProviderError'), 'there are no credentials for it'],
    [error('AccessDenied', undefined, 403), 'it refuses the server’s credentials (AccessDenied)'],
    [error('NoSuchBucket'), 'its bucket does not exist (NoSuchBucket)'],
    [error('SlowDown'), 'it answers with SlowDown'],
    ['nothing', 'it failed'],
  ] as const) {
    it(message, () => {
      const made = explained(given);
      assert.ok(made instanceof StoreError);
      assert.equal(made.message, message);
      assert.equal(made.cause, given);
    });
  }
});
