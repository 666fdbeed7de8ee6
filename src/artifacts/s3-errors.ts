import { StoreError } from './blobs.ts';

const refusals = new Set([401, 403]);
const connectionErrors = /^(E[A-Z]+|ERR_SOCKET_.+|UND_ERR_.+)$/;
const certificateErrors = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL/;

/** What went wrong with an S3 server, in words for any caller: no addresses, no names of buckets. */
export function explained(error: unknown): StoreError {
  return new StoreError(reasonOf(error), { cause: error });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (certificateErrors.test(code)) return `its certificate is not trusted (${code})`;
  if (connectionErrors.test(code)) return `it does not answer (${code})`;
  if (error.name === 'TimeoutError') return 'it does not answer in time';
  if (error.name === 'CredentialsProviderError') return 'there are no credentials for it';
  if (refusals.has(statusOf(error) ?? 0)) return `it refuses the server’s credentials (${error.name})`;
  if (error.name === 'NoSuchBucket') return 'its bucket does not exist (NoSuchBucket)';
  return `it answers with ${error.name}`;
}

/** The HTTP status, whose meaning all servers share; the codes differ. */
function statusOf(error: Error & { $metadata?: { httpStatusCode?: number } }): number | undefined {
  return error.$metadata?.httpStatusCode;
}
