export interface Part {
  body: Uint8Array;
  last: boolean;
}

/** Chunks as parts of `size` bytes; only the last, which there always is, may be shorter. Holds one part at a time. */
export async function* inParts(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Part> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    length += chunk.length;
    while (length > size) {
      const whole = Buffer.concat(chunks, length);
      yield { body: whole.subarray(0, size), last: false };
      chunks = [whole.subarray(size)];
      length -= size;
    }
  }
  yield { body: Buffer.concat(chunks, length), last: true };
}
