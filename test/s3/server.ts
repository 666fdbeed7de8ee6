import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';

const run = promisify(execFile);

/** A real S3 server on this machine, over TLS. */
export interface S3Server {
  /** `https://127.0.0.1:<port>` */
  endpoint: string;
  region: string;
  /** It is there, and empty. */
  bucket: string;
  /** Where its objects are files. */
  folder: string;
  /** The CA of its certificate. */
  caFile: string;
  accessKey: string;
  secretKey: string;
  /** Ends at once, as a machine that loses its power; what it has kept goes too. */
  stop(): Promise<void>;
}

/** Starts the server that test/s3/build builds, which it does here where it has not been done. */
export async function startS3(): Promise<S3Server> {
  const program = (await run(join(import.meta.dirname, 'build'))).stdout.trim();
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-s3-'));
  const [data = '', meta = '', users = ''] = ['data', 'meta', 'users'].map((name) => join(folder, name));
  await Promise.all([mkdir(data), mkdir(meta), mkdir(users), makeCertificates(folder)]);

  const port = await freePort();
  const caFile = join(folder, 'ca.crt');
  const [accessKey, secretKey, region, bucket] = ['tester', 'only-for-tests', 'us-east-1', 'artifacts'];
  const options = ['--quiet', '--keep-alive', '--port', `127.0.0.1:${port}`, '--region', region];
  const tls = ['--cert', join(folder, 'server.crt'), '--key', join(folder, 'server.key')];
  const child = spawn(program, [...options, ...tls, '--iam-dir', users, 'posix', '--sidecar', meta, data], {
    env: { ...process.env, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(child, 'close');
  const said = text(child.stderr);
  const stop = async () => {
    child.kill('SIGKILL');
    await closed;
    await rm(folder, { recursive: true, force: true });
  };

  const endpoint = `https://127.0.0.1:${port}`;
  try {
    await Promise.race([
      makeBucket({ endpoint, region, bucket, caFile, accessKey, secretKey }),
      said.then((why) => Promise.reject(new Error(`The S3 server ended: ${why}`))),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, region, bucket, folder: join(data, bucket), caFile, accessKey, secretKey, stop };
}

/** Once the server answers. */
async function makeBucket(server: Omit<S3Server, 'folder' | 'stop'>): Promise<void> {
  const { endpoint, region, bucket, caFile, accessKey, secretKey } = server;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    requestHandler: { httpsAgent: { ca: await readFile(caFile) } },
  });
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      break;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ECONNREFUSED' || performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
  client.destroy();
}

/** ca.crt, and server.crt with server.key for 127.0.0.1. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const ca = ['-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=CA of the test'];
  await openssl('req', '-x509', ...key, ...ca);
  const server = ['-keyout', 'server.key', '-out', 'server.crt', '-subj', '/CN=127.0.0.1'];
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await openssl('req', '-x509', ...key, ...server, ...by, '-addext', 'basicConstraints=critical,CA:FALSE');
}
