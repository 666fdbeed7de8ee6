const images = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/svg+xml']);

/** Whether MCP clients show it as an image. */
export function isImage(mimeType: string): boolean {
  return images.has(mimeType);
}

const textTypes =
  /^(text\/.*|application\/(json|ld\+json|x-ndjson|jsonl?|xml|yaml|toml|sql|javascript|.*\+(json|xml)))$/;

/** Whether a file of this type is text, if its bytes are. */
export function isText(mimeType: string): boolean {
  return textTypes.test(mimeType);
}

const signatures: [type: string, isOf: (start: string) => boolean][] = [
  ['image/png', (start) => start.startsWith('\x89PNG\r\n\x1a\n')],
  ['image/jpeg', (start) => start.startsWith('\xff\xd8\xff')],
  ['image/gif', (start) => /^GIF8[79]a/.test(start)],
  ['image/webp', (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8)],
];

/** The type of a picture by its first bytes: what only has the name of one, clients refuse with the whole answer. */
export function pictureType(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, 12);
  return signatures.find(([, isOf]) => isOf(start))?.[0];
}
