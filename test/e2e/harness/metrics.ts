/** A number of /metrics, by the beginning of its line: name, or name and labels. */
export async function metric(probesUrl: string, name: string): Promise<number> {
  const response = await fetch(`${probesUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const line = (await response.text()).split('\n').find((text) => text.startsWith(`${name} `));
  if (line === undefined) throw new Error(`/metrics has no ${name}`);
  return Number(line.slice(name.length + 1));
}

/** Looks at a number as long as something goes on; stop() tells the largest that was seen. */
export function watchLargest(probesUrl: string, name: string): { stop(): Promise<number> } {
  const stopped = new AbortController();
  const watching = (async () => {
    let largest = -Infinity;
    for (;;) {
      const isLast = stopped.signal.aborted;
      largest = Math.max(largest, await metric(probesUrl, name));
      if (isLast) return largest;
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 100);
        stopped.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve(undefined);
        });
      });
    }
  })();
  watching.catch(() => undefined); // stop() throws it
  return {
    stop() {
      stopped.abort();
      return watching;
    },
  };
}
