import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchKey,
  NoSuchUpload,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type MultipartUpload,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { Readable, addAbortSignal } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates } from 'node:tls';
import { checkKey, checkPrefix, type Blobs } from './blobs.ts';
import { inParts } from './parts.ts';
import { explained } from './s3-errors.ts';

export interface S3Options {
  bucket: string;
  /** Before each key: '' or a path that ends in a slash. */
  prefix: string;
  /** '' for Amazon's. */
  endpoint: string;
  region: string;
  pathStyle: boolean;
  /** PEM file of a CA to trust beside the usual ones, '' for none. */
  caFile: string;
}

/** The least that S3 takes as a part; a file that is smaller is one request. All but the last are of one size. */
const partBytes = 5 * 1024 * 1024;
const keysAtOnce = 1000;
/** How long it may take to undo a write that failed. */
const undoMs = 5000;

/** A bucket, or a prefix in it. Credentials come from where the AWS SDK looks for them. */
export function s3Blobs(options: S3Options): Blobs {
  const { bucket: Bucket, prefix: base } = options;
  const client = new S3Client(clientConfig(options));

  async function asked<Answer>(answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      signal.throwIfAborted();
      throw explained(error);
    }
  }

  async function upload(Key: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const abortSignal = signal;
    let UploadId: string | undefined;
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    try {
      for await (const { body: Body, last } of inParts(bytes, partBytes)) {
        signal.throwIfAborted();
        if (last && Parts.length === 0) {
          await asked(client.send(new PutObjectCommand({ Bucket, Key, Body }), { abortSignal }), signal);
          return;
        }
        const create = new CreateMultipartUploadCommand({ Bucket, Key });
        // Never aborted: its answer names what would have to be undone.
        UploadId ??= (await asked(client.send(create, { requestTimeout: undoMs }), signal)).UploadId;
        const PartNumber = Parts.length + 1;
        const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body });
        const { ETag } = await asked(client.send(part, { abortSignal }), signal);
        Parts.push({ PartNumber, ETag });
      }
      const complete = new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts },
      });
      await asked(client.send(complete, { abortSignal }), signal);
    } catch (error) {
      await undo(Key, UploadId);
      throw error;
    }
  }

  /** A request that was not answered may have been carried out all the same. */
  async function undo(Key: string, UploadId: string | undefined): Promise<void> {
    const signal = AbortSignal.timeout(undoMs);
    await Promise.allSettled([
      UploadId !== undefined && forgetUpload(Key, UploadId, signal),
      removeObjects([Key], signal),
    ]);
  }

  /** A part that was on its way when the upload was aborted can outlive it: again, until there is no such upload. */
  async function forgetUpload(Key: string, UploadId: string, abortSignal: AbortSignal): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket, Key, UploadId });
    for (const pauseMs of [0, 100, 400]) {
      await sleep(pauseMs);
      const error: unknown = await client.send(command, { abortSignal }).catch((thrown: unknown) => thrown);
      if (error instanceof NoSuchUpload) return;
    }
  }

  async function removeObjects(keys: string[], signal: AbortSignal): Promise<void> {
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const command = new DeleteObjectsCommand({ Bucket, Delete });
    const { Errors = [] } = await asked(client.send(command, { abortSignal: signal }), signal);
    const [first] = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
    if (first) throw explained(Object.assign(new Error(first.Message), { name: first.Code ?? 'Error' }));
  }

  async function* uploads(signal: AbortSignal): AsyncGenerator<MultipartUpload> {
    let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    while (next) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket,
        Prefix: base,
        ...next,
      });
      const page = await asked(client.send(command, { abortSignal: signal }), signal);
      yield* page.Uploads ?? [];
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      next = page.IsTruncated ? { KeyMarker, UploadIdMarker } : undefined;
    }
  }

  return {
    async write(key, bytes, signal) {
      checkKey(key);
      await upload(base + key, bytes, signal);
    },

    async read(key, range, signal) {
      checkKey(key);
      const Range = range && `bytes=${range.start}-${range.end}`;
      const command = new GetObjectCommand({ Bucket, Key: base + key, Range });
      try {
        const { Body } = await client.send(command, { abortSignal: signal });
        if (!(Body instanceof Readable)) throw new TypeError('The answer has no stream.');
        return addAbortSignal(signal, Body);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof NoSuchKey) return undefined;
        throw explained(error);
      }
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      const pages = paginateListObjectsV2(
        { client },
        { Bucket, Prefix: base + prefix },
        { abortSignal: signal },
      );
      for (;;) {
        const page = await asked(pages.next(), signal);
        if (page.done) return;
        for (const { Key, Size, LastModified } of page.value.Contents ?? []) {
          if (Key === undefined || LastModified === undefined) continue;
          yield { key: Key.slice(base.length), size: Size ?? 0, modified: LastModified };
        }
      }
    },

    async remove(keys, signal) {
      keys.forEach(checkKey);
      for (let first = 0; first < keys.length; first += keysAtOnce) {
        const some = keys.slice(first, first + keysAtOnce);
        await removeObjects(
          some.map((key) => base + key),
          signal,
        );
      }
    },

    async removeUnfinished(before, signal) {
      for await (const { Key, UploadId, Initiated } of uploads(signal)) {
        if (Initiated === undefined || Initiated >= before) continue;
        const command = new AbortMultipartUploadCommand({ Bucket, Key, UploadId });
        await asked(client.send(command, { abortSignal: signal }), signal);
      }
    },
  };
}

function clientConfig({ endpoint, region, pathStyle, caFile }: S3Options): S3ClientConfig {
  return {
    region,
    ...(endpoint !== '' && { endpoint }),
    forcePathStyle: pathStyle,
    maxAttempts: 2,
    // Other servers than Amazon's do not know all of its checksums. Each request is signed with the hash of its body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 5000,
      requestTimeout: 15_000,
      throwOnRequestTimeout: true,
      // Also of a download whose reader takes nothing.
      socketTimeout: 60_000,
      // An Agent and not its options: for large bodies the SDK would make another without the CA.
      httpsAgent: new Agent({
        keepAlive: true,
        ...(caFile !== '' && { ca: [...getCACertificates('default'), readCa(caFile)] }),
      }),
    },
  };
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The CA file of the S3 server cannot be read: ${why}`, { cause });
  }
}
