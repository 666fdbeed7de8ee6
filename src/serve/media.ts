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
