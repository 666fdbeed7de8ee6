import type { ServerContext } from '@modelcontextprotocol/server';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProgress } from '../../../src/serve/progress.ts';
import { exit, numbered, out, started } from '../support/frames.ts';
import { mockTimers } from '../support/mock-timers.ts';

interface Sent {
  progressToken: string;
  progress: number;
  message: string;
}

function contextWith(progressToken: string | undefined, isGone = false) {
  const sent: Sent[] = [];
  const context = {
    mcpReq: {
      _meta: progressToken === undefined ? undefined : { progressToken },
      notify: ({ params }: { params: Sent }) => {
        sent.push(params);
        return isGone ? Promise.reject(new Error('gone')) : Promise.resolve();
      },
    },
  } as unknown as ServerContext;
  return { context, sent, messages: () => sent.map(({ message }) => message) };
}

describe('createProgress', () => {
  it('tells each stage once, numbered', (t) => {
    mockTimers(t);
    const { context, sent } = contextWith('token');
    const progress = createProgress(context);
    progress.see({ type: 'queued' });
    progress.see({ type: 'starting', execution_id: 'id' });
    for (const frame of numbered(started)) progress.see(frame);
    assert.deepEqual(sent, [
      { progressToken: 'token', progress: 1, message: 'queued' },
      { progressToken: 'token', progress: 2, message: 'starting id' },
      { progressToken: 'token', progress: 3, message: 'running' },
    ]);
  });

  it('tells the last output, at most twice a second', (t) => {
    const timers = mockTimers(t);
    const { context, messages } = contextWith('token');
    const progress = createProgress(context);
    for (const frame of numbered(out('one\n'), out('two\nthree\n'))) progress.see(frame);
    timers.tick(499);
    assert.deepEqual(messages(), []);
    timers.tick(1);
    assert.equal(messages().length, 1);
    assert.match(messages()[0] ?? '', /^running for \d+\.\d s: three$/);
    for (const frame of numbered(out('four'))) progress.see(frame);
    timers.tick(500);
    assert.match(messages()[1] ?? '', /: four$/);
  });

  it('tells how an environment is built, and not once it is', (t) => {
    const timers = mockTimers(t);
    const { context, messages } = contextWith('token');
    const progress = createProgress(context);
    progress.see({ type: 'building', message: 'Resolved 3 packages' });
    progress.see({ type: 'building', message: 'Downloading polars' });
    timers.tick(500);
    progress.see({ type: 'building', message: 'Installed 3 packages' });
    progress.see({ type: 'starting', execution_id: 'id' });
    timers.tick(500);
    assert.deepEqual(messages(), [
      'building the environment: Resolved 3 packages',
      'building the environment: Downloading polars',
      'building the environment: Installed 3 packages',
      'starting id',
    ]);
  });

  it('tells nothing after the end', (t) => {
    const timers = mockTimers(t);
    const { context, sent } = contextWith('token');
    const progress = createProgress(context);
    for (const frame of numbered(out('one'), exit())) progress.see(frame);
    progress.end();
    timers.tick(1000);
    assert.deepEqual(sent, []);
  });

  it('tells nothing to who did not ask', (t) => {
    const timers = mockTimers(t);
    const { context, sent } = contextWith(undefined);
    const progress = createProgress(context);
    progress.see({ type: 'queued' });
    for (const frame of numbered(started, out('one'))) progress.see(frame);
    timers.tick(1000);
    assert.deepEqual(sent, []);
  });

  it('does not mind a client that is gone', (t) => {
    mockTimers(t);
    const { context, sent } = contextWith('token', true);
    createProgress(context).see({ type: 'queued' });
    assert.equal(sent.length, 1);
  });
});
