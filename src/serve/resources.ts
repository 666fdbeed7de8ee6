import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { describeError, ServiceError } from '../result/errors.ts';
import { decodeUtf8 } from '../result/utf8.ts';
import { artifactUri } from './content.ts';
import { isText } from './media.ts';
import type { FoundArtifact, Offers } from './offers.ts';
import { formatSize } from './render.ts';

export interface Reader {
  /** Throws ServiceError where the caller is not known. */
  caller(): string;
  /** Aborts when the client is gone. */
  signal: AbortSignal | undefined;
  /** Most bytes of an artifact; base64 makes a third more of them. */
  maxBytes: number;
  /** Is told of errors, but for those of the protocol and of calls that nobody waits for. */
  onError: (error: unknown) => void;
}

/** Artifacts as resources: a template only, because what a run left behind is for who has its result. */
export function registerArtifacts(
  server: McpServer,
  offers: Pick<Offers, 'readArtifact' | 'locate'>,
  reader: Reader,
): void {
  server.registerResource(
    'artifact',
    new ResourceTemplate(artifactUri('{id}'), { list: undefined }),
    { title: 'Artifact', description: 'A figure, or a file that a program wrote to output/.' },
    async (uri, { id }, context) => {
      const signal = AbortSignal.any([context.mcpReq.signal, ...(reader.signal ? [reader.signal] : [])]);
      try {
        return await readArtifact(String(id), uri.href, offers, reader, signal);
      } catch (error) {
        if (!signal.aborted && !(error instanceof ProtocolError)) reader.onError(error);
        throw asProtocolError(error);
      }
    },
  );
}

async function readArtifact(
  id: string,
  uri: string,
  offers: Pick<Offers, 'readArtifact' | 'locate'>,
  { caller, maxBytes }: Reader,
  signal: AbortSignal,
): Promise<ReadResourceResult> {
  const found = await offers.readArtifact(id, caller(), signal);
  if (!found) throw new ResourceNotFoundError(uri, `There is no artifact ${id}, or it is no longer kept.`);
  const { size } = found.artifact;
  if (size > maxBytes) {
    const place = offers.locate(id);
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `The artifact is ${formatSize(size)} long, and ${formatSize(maxBytes)} is the most that is read as a resource${place === null ? '.' : `: get it at ${place}.`}`,
      { uri, size, place },
    );
  }
  return { contents: [await contentOf(found, uri, maxBytes)] };
}

async function contentOf({ artifact, bytes }: FoundArtifact, uri: string, maxBytes: number) {
  const all = await bytes();
  const about = { uri, mimeType: artifact.mime_type };
  const text = isText(artifact.mime_type) ? decodeUtf8(all) : undefined;
  // Text that JSON would make larger than the largest blob goes as one.
  const isSmall = text !== undefined && Buffer.byteLength(JSON.stringify(text)) <= (maxBytes * 4) / 3;
  return isSmall ? { ...about, text } : { ...about, blob: all.toString('base64') };
}

function asProtocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const { message, hint } = describeError(error).body.error;
  const isTheirs = error instanceof ServiceError && ['unauthenticated', 'not_found'].includes(error.code);
  return new ProtocolError(
    isTheirs ? ProtocolErrorCode.InvalidRequest : ProtocolErrorCode.InternalError,
    `${message} ${hint}`,
  );
}
