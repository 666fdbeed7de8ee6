import { request } from 'node:http';
import type { ExecutionRequestInput } from '../../../src/request/execution.ts';

export interface Answer {
  status: number;
  body: unknown;
}

/** One REST call. */
export async function rest(method: 'GET' | 'POST' | 'DELETE', url: string, body?: object): Promise<Answer> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(150_000),
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

export interface StreamEvent {
  event: string;
  data: Record<string, unknown>;
}

/** A run over REST, event by event. Its connection can be cut: `destroy` closes the socket at once. */
export interface Stream {
  /** The next event of a kind. */
  next(event: string): Promise<StreamEvent>;
  /** All that is still to come, up to the end. */
  rest(): Promise<StreamEvent[]>;
  destroy(): void;
}

export function streamRun(url: string, body: ExecutionRequestInput): Stream {
  const sent = request(`${url}/v1/executions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  sent.end(JSON.stringify(body));
  async function* events(): AsyncGenerator<StreamEvent, undefined> {
    const response = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
      sent.once('response', resolve);
      sent.once('error', reject);
    });
    let text = '';
    for await (const chunk of response) {
      text += chunk.toString('utf8');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, event, data] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
        if (event !== undefined && data !== undefined) {
          yield { event, data: JSON.parse(data) as Record<string, unknown> };
        }
      }
    }
    return undefined;
  }
  const coming = events();
  return {
    async next(event) {
      // Not `for await`, which closes the connection where it is left.
      for (;;) {
        const next = await coming.next();
        if (next.done) throw new Error(`The stream ended without ${event}.`);
        if (next.value.event === event) return next.value;
      }
    },
    async rest() {
      const left: StreamEvent[] = [];
      for await (const event of coming) left.push(event);
      return left;
    },
    destroy: () => sent.destroy(),
  };
}
