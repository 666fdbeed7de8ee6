/** Chunks on their way from one who has them to one who takes them. */
export interface Channel extends AsyncIterable<Uint8Array> {
  /** Resolves when there is room for another. */
  push(chunk: Uint8Array): Promise<void>;
  /** There are no more. */
  end(): void;
  /** The reader gets this error in place of what it has not read. */
  fail(error: Error): void;
  /** The reader has gone: whatever else comes is thrown away. */
  discard(): void;
}

/** Holds `capacity` chunks at most where each push is awaited. */
export function createChannel(capacity: number): Channel {
  let chunks: Uint8Array[] = [];
  let ended = false;
  let failure: Error | undefined;
  let news = Promise.withResolvers<undefined>();

  function tell(): void {
    news.resolve(undefined);
    news = Promise.withResolvers();
  }

  return {
    async push(chunk) {
      if (ended) return;
      chunks.push(chunk);
      tell();
      while (chunks.length >= capacity) await news.promise;
    },
    end() {
      ended = true;
      tell();
    },
    fail(error) {
      failure ??= error;
      ended = true;
      chunks = [];
      tell();
    },
    discard() {
      ended = true;
      chunks = [];
      tell();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        if (failure) throw failure;
        const chunk = chunks.shift();
        if (chunk) {
          tell();
          yield chunk;
        } else if (ended) {
          return;
        } else {
          await news.promise;
        }
      }
    },
  };
}
