import type { ServerContext } from '@modelcontextprotocol/server';
import { lastLine } from '../output/capture.ts';
import type { RunEvent } from '../schedule/run.ts';

/** At most one notification in this time, so that a chatty program does not flood its client. */
const everyMs = 500;

/** Tells a client that asked for it how its run fares: queued, starting, running, and what it wrote last. */
export function createProgress(context: ServerContext) {
  const token = context.mcpReq._meta?.progressToken;
  const began = performance.now();
  let sent = 0;
  let waiting: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  function send(message: string): void {
    if (token === undefined) return;
    waiting = undefined; // what it says is older
    sent += 1;
    context.mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken: token, progress: sent, message } })
      .catch(() => undefined); // the client is gone: the run's signal tells
  }

  function sendSoon(message: string): void {
    waiting = message;
    sendInTime();
  }

  function sendInTime(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (waiting !== undefined) send(waiting);
    }, everyMs);
  }

  /** A build may be over before the next turn: its first line is sent at once. */
  function sendOfBuild(message: string): void {
    if (timer === undefined) send(message);
    else waiting = message;
    sendInTime();
  }

  return {
    see(event: RunEvent): void {
      if (token === undefined) return;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      if (event.type === 'queued') send('queued');
      else if (event.type === 'building') sendOfBuild(`building the environment: ${event.message}`);
      else if (event.type === 'starting') send(`starting ${event.execution_id}`);
      else if (event.type === 'started') send('running');
      else if (event.type === 'stdout' || event.type === 'stderr') {
        // Python writes the end of a line by itself: that says less than what came before.
        const line = lastLine(event);
        if (line) sendSoon(`running for ${seconds} s: ${line}`);
      }
    },
    end(): void {
      clearTimeout(timer);
    },
  };
}
