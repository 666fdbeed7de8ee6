import { S3Client } from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { randomName } from '../../src/request/execution-id.ts';
import { s3Blobs, type S3Options } from '../../src/artifacts/s3.ts';
import { startS3, type S3Server } from './server.ts';

/** Longer than a build takes. */
const startMs = 400_000;

export interface S3Fixture {
  readonly server: S3Server;
  /** Blobs under a prefix of their own. */
  blobs(changes?: Partial<S3Options>): ReturnType<typeof s3Blobs>;
  options(changes?: Partial<S3Options>): S3Options;
  /** For what a test asks the server itself. */
  client(): S3Client;
}

/** A server for the tests of a file; its credentials are in the environment. */
export function s3Fixture(): S3Fixture {
  let server: S3Server | undefined;
  before(
    async () => {
      server = await startS3();
      process.env.AWS_ACCESS_KEY_ID = server.accessKey;
      process.env.AWS_SECRET_ACCESS_KEY = server.secretKey;
    },
    { timeout: startMs },
  );
  after(() => server?.stop());

  function started(): S3Server {
    if (!server) throw new Error('The S3 server is not there yet.');
    return server;
  }

  function options(changes: Partial<S3Options> = {}): S3Options {
    const { bucket, endpoint, region, caFile } = started();
    return { bucket, prefix: `${randomName(10)}/`, endpoint, region, pathStyle: true, caFile, ...changes };
  }

  return {
    get server() {
      return started();
    },
    options,
    blobs: (changes) => s3Blobs(options(changes)),
    client() {
      const { endpoint, region, caFile } = started();
      const requestHandler = { httpsAgent: { ca: readFileSync(caFile) } };
      return new S3Client({ endpoint, region, forcePathStyle: true, requestHandler });
    },
  };
}
