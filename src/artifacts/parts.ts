export interface Part {
  /** Good until the next part is asked for. */
  body: Uint8Array;
  last: boolean;
}

const leastBytes = 16_384;

/** Chunks as parts of `size` bytes; only the last, which there always is, may be shorter. All parts share one buffer. */
export async function* inParts(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Part> {
  let held: Buffer = Buffer.allocUnsafeSlow(Math.min(size, leastBytes));
  let length = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length;) {
      if (length === size) {
        yield { body: held, last: false };
        length = 0;
      }
      const some = chunk.subarray(at, at + size - length);
      held = roomFor(held, length + some.length, size);
      held.set(some, length);
      length += some.length;
      at += some.length;
    }
  }
  yield { body: held.subarray(0, length), last: true };
}

/** The buffer, or a larger one of the same content: small files need no room for a whole part. */
function roomFor(held: Buffer, length: number, most: number): Buffer {
  if (length <= held.length) return held;
  const larger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(length, held.length * 2)));
  larger.set(held);
  return larger;
}
