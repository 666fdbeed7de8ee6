import { setTimeout as sleep } from 'node:timers/promises';

/** A number of /metrics, by the beginning of its line: name, or name and labels. */
export async function metric(probesUrl: string, name: string): Promise<number> {
  const response = await fetch(`${probesUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const line = (await response.text()).split('\n').find((text) => text.startsWith(`${name} `));
  if (line === undefined) throw new Error(`/metrics has no ${name}`);
  return Number(line.slice(name.length + 1));
}

/** Looks at a number as long as something goes on; stop() tells the largest that was seen. */
export function watchLargest(probesUrl: string, name: string): { stop(): Promise<number> } {
  return watchMost(probesUrl, name, Math.max);
}

/** Likewise; stop() tells the smallest. */
export function watchSmallest(probesUrl: string, name: string): { stop(): Promise<number> } {
  return watchMost(probesUrl, name, Math.min);
}

function watchMost(probesUrl: string, name: string, most: (...numbers: number[]) => number) {
  const stopped = new AbortController();
  const watching = (async () => {
    let found = await metric(probesUrl, name);
    while (!stopped.signal.aborted) {
      await sleep(100, undefined, { signal: stopped.signal }).catch(() => undefined);
      found = most(found, await metric(probesUrl, name));
    }
    return found;
  })();
  watching.catch(() => undefined); // stop() throws it
  return {
    stop() {
      stopped.abort();
      return watching;
    },
  };
}
