import type { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Call, Client } from '../../../src/sandbox/client.ts';

export interface FakeCall extends Call {
  path: string;
}

/** A client whose answers a test gives; a call that it has no answer for fails. */
export function fakeClient(answers: {
  json?: (call: FakeCall) => unknown;
  stream?: (call: FakeCall) => Readable | Promise<Readable>;
  socket?: () => WebSocket;
}): Client & { calls: FakeCall[] } {
  const calls: FakeCall[] = [];
  const noAnswer = (what: string) => () => Promise.reject(new Error(`The test has no answer to ${what}.`));
  const take = (path: string, call: Call): FakeCall => {
    const seen = { ...call, path };
    calls.push(seen);
    call.signal.throwIfAborted();
    return seen;
  };
  return {
    calls,
    server: 'http://fake',
    async json<T>(path: string, call: Call): Promise<T> {
      return (await (answers.json ?? noAnswer(path))(take(path, call))) as T;
    },
    async stream(path, call) {
      return (answers.stream ?? noAnswer(path))(take(path, call));
    },
    socket: () => (answers.socket ? Promise.resolve(answers.socket()) : noAnswer('a WebSocket')()),
    close: () => Promise.resolve(),
  };
}
