interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Those who wait for something, first come first served. */
export function createLine<T>() {
  const waiting = new Set<Waiter<T>>();
  return {
    /** Waits for its turn. Throws the signal's reason. */
    wait(signal: AbortSignal): Promise<T> {
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiting.delete(waiter);
          signal.removeEventListener('abort', abort);
        };
        const abort = () => {
          leave();
          reject(signal.reason as Error);
        };
        const waiter: Waiter<T> = {
          resolve(value) {
            leave();
            resolve(value);
          },
          reject(error) {
            leave();
            reject(error);
          },
        };
        if (signal.aborted) {
          abort();
          return;
        }
        signal.addEventListener('abort', abort, { once: true });
        waiting.add(waiter);
      });
    },
    /** The one that has waited longest, if any: it stays in the line until it is answered. */
    get first(): Waiter<T> | undefined {
      const [first] = waiting;
      return first;
    },
    get length(): number {
      return waiting.size;
    },
  };
}

export type Line<T> = ReturnType<typeof createLine<T>>;
