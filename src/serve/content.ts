import type { ContentBlock } from '@modelcontextprotocol/server';
import type { Artifact, ExecutionResult } from '../result/execution-result.ts';
import { decodeUtf8 } from '../result/utf8.ts';
import { isImage, isText } from './media.ts';
import { renderResult } from './render.ts';

const KiB = 1024;
const MiB = 1_048_576;

/** What is put into an answer itself; the rest is linked. */
const inline = {
  image: { count: 8, bytes: MiB, allBytes: 4 * MiB },
  text: { count: 16, bytes: 16 * KiB, allBytes: 64 * KiB },
};

type Form = keyof typeof inline;
type Kept = Artifact & { id: string };

/** The address of an artifact in MCP. */
export function artifactUri(id: string): string {
  return `artifact://${id}`;
}

/**
 * A result as MCP content: text first, then each artifact as a link, and the small ones themselves. One that cannot be
 * read is a link only. `messageBytes` is what the client takes.
 */
export async function resultContent(
  result: ExecutionResult,
  read: (id: string) => Promise<Buffer | undefined>,
  messageBytes: number,
): Promise<ContentBlock[]> {
  const text = renderResult(result);
  const said = Buffer.byteLength(JSON.stringify([text, result]));
  const kept = result.artifacts.filter((artifact): artifact is Kept => artifact.id !== null);
  const forms = inlineForms(kept, ((messageBytes - said) * 3) / 4);
  const blocks = await Promise.all(
    kept.map(async (artifact) => {
      const form = forms.get(artifact.id);
      const bytes = form && (await read(artifact.id));
      const itself = form && bytes && inlineBlock(artifact, form, bytes);
      return itself ? [link(artifact), itself] : [link(artifact)];
    }),
  );
  return [{ type: 'text', text }, ...blocks.flat()];
}

/** Which artifacts are put into the answer, and as what. `room`: bytes for images. */
export function inlineForms(artifacts: readonly Kept[], room: number): Map<string, Form> {
  const used = { image: { count: 0, bytes: 0 }, text: { count: 0, bytes: 0 } };
  const forms = new Map<string, Form>();
  for (const { id, mime_type, size } of artifacts) {
    const form = isImage(mime_type) ? 'image' : isText(mime_type) ? 'text' : undefined;
    if (!form || size === 0 || size > inline[form].bytes) continue;
    const all = form === 'image' ? Math.min(inline.image.allBytes, room) : inline.text.allBytes;
    if (used[form].count >= inline[form].count || used[form].bytes + size > all) continue;
    used[form].count += 1;
    used[form].bytes += size;
    forms.set(id, form);
  }
  return forms;
}

function link({ id, path, name, kind, mime_type, size }: Kept): ContentBlock {
  const description = kind === 'figure' ? `Figure ${path}` : `output/${path}`;
  return { type: 'resource_link', uri: artifactUri(id), name, mimeType: mime_type, size, description };
}

function inlineBlock({ path, mime_type }: Artifact, form: Form, bytes: Buffer): ContentBlock | undefined {
  if (form === 'image') return { type: 'image', data: bytes.toString('base64'), mimeType: mime_type };
  const text = decodeUtf8(bytes);
  return text === undefined ? undefined : { type: 'text', text: `${path}:\n${text}` };
}
