import type { SessionView, WorkspaceFile, WorkspaceListing } from '../result/session.ts';
import { formatSize } from './render.ts';

/** Base64 in a text costs a reader more than it says: more of it is in the structured result alone. */
const mostBase64 = 16 * 1024;

/** What a new session is, for a model: how to name it, and how long it lasts. */
export function renderSession({ session_id, expires, idle_seconds, limits, hints }: SessionView): string {
  const { seconds, cpu, memory_mb } = limits;
  return [
    `session_id: ${session_id}`,
    `Its runs have ${seconds} s, ${cpu} CPU and ${memory_mb} MiB.`,
    `It ends after ${idle_seconds} s without use, and at ${expires} at the latest.`,
    ...hints.map((hint) => `Note: ${hint}`),
  ].join('\n');
}

/** A listing, an entry a line. */
export function renderListing({ entries, left_out }: WorkspaceListing): string {
  if (entries.length === 0 && left_out === 0) return '(nothing)';
  const lines = entries.map(({ path, kind, size }) => {
    if (kind === 'folder') return `${path}/`;
    return kind === 'file' ? `${path} (${formatSize(size)})` : `${path} (no regular file)`;
  });
  return [...lines, ...(left_out > 0 ? [`and ${left_out} more`] : [])].join('\n');
}

/** A file as text; bytes that are no text as base64, where there are few. */
export function renderFile({ path, size, content, content_base64 }: WorkspaceFile): string {
  if (content !== null) return content;
  return size > mostBase64
    ? `${path} has ${formatSize(size)} that are no text: they are in \`content_base64\` of the structured result.`
    : `${path} is no text. As base64:\n${content_base64 ?? ''}`;
}
