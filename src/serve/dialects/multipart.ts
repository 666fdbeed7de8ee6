import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';

export interface UploadedFile {
  /** As the client has it, folders included. */
  name: string;
  bytes: Buffer;
}

/** What is wrong with a form: too many files, too many bytes, or no such form at all. */
export class MultipartFault extends Error {
  override name = 'MultipartFault';
  readonly kind: 'count' | 'size' | 'form';

  constructor(kind: MultipartFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Fields say nothing here: they are read over, a few and small ones. */
const maxFields = 32;
const maxFieldBytes = 65_536;

/** The files of a multipart/form-data request, no more than fit. Throws MultipartFault, and the signal's reason. */
export async function readMultipart(
  request: IncomingMessage,
  most: { files: number; bytes: number },
  signal: AbortSignal,
): Promise<UploadedFile[]> {
  const parser = openParser(request, most);
  const files: UploadedFile[] = [];
  let room = most.bytes;
  const fail = (fault: MultipartFault) => parser.destroy(fault);
  parser.on('file', (_field, stream, name) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      room -= chunk.length;
      if (room >= 0) chunks.push(chunk);
      else fail(new MultipartFault('size', `The files are larger than ${most.bytes} bytes together.`));
    });
    stream.on('error', () => undefined); // the parser tells
    stream.on('end', () => files.push({ name, bytes: Buffer.concat(chunks) }));
  });
  parser.on('filesLimit', () => {
    fail(new MultipartFault('count', `There are more than ${most.files} files.`));
  });
  // What comes after it would be passed over, files too.
  parser.on('partsLimit', () => {
    fail(new MultipartFault('count', `There are more than ${most.files + maxFields} parts.`));
  });
  try {
    request.pipe(parser);
    await finished(parser, { readable: false, signal });
    return files;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MultipartFault) throw error;
    throw new MultipartFault('form', error instanceof Error ? error.message : 'The form cannot be read.');
  } finally {
    // Who still sends would not hear the answer if the connection were cut: the rest is read and thrown away.
    request.unpipe(parser);
    request.resume();
    parser.destroy();
  }
}

function openParser(request: IncomingMessage, most: { files: number; bytes: number }) {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      preservePath: true,
      isPartAFile: (_field, _type, filename) => filename !== undefined,
      limits: {
        files: most.files,
        fields: maxFields,
        fieldSize: maxFieldBytes,
        parts: most.files + maxFields,
      },
    });
  } catch (error) {
    throw new MultipartFault('form', error instanceof Error ? error.message : 'It is no form.');
  }
}
