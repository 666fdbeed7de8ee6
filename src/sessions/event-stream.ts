/** Longest event: a result with both streams, escaped. */
const maxEventBytes = 268_435_456;

/** Server-sent events as a replica writes them: a name, one line of JSON, an empty line; comments between them. */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ event: string; data: unknown }, void> {
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const bytes of body) {
    chunks.push(Buffer.from(bytes));
    length += bytes.length;
    if (length > maxEventBytes) throw new Error('an event of the other server is too long');
    // An empty line may be cut: only a chunk that ends a line can end an event.
    if (!bytes.includes(10)) continue;
    const text = Buffer.concat(chunks);
    const end = text.lastIndexOf('\n\n');
    if (end < 0) {
      chunks = [text];
      continue;
    }
    chunks = [text.subarray(end + 2)];
    length = text.length - end - 2;
    for (const block of text.toString('utf8', 0, end).split('\n\n')) {
      const event = parse(block);
      if (event) yield event;
    }
  }
}

function parse(text: string): { event: string; data: unknown } | undefined {
  const fields = new Map(
    text.split('\n').flatMap((line) => {
      const colon = line.indexOf(': ');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 2)] as const] : [];
    }),
  );
  const event = fields.get('event');
  const data = fields.get('data');
  return event === undefined || data === undefined ? undefined : { event, data: JSON.parse(data) };
}
