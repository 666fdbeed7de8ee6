import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../src/output/frame.ts';
import { ServiceError } from '../../../src/result/errors.ts';
import type { Program, RunMode } from '../../../src/schedule/backend.ts';
import { agentLimits } from '../../../src/sandbox/conversation.ts';
import { createTalk, type Talk } from '../../../src/sandbox/talk.ts';
import { fakeWire } from '../support/fake-wire.ts';
import { exit, out, ready, started } from '../support/frames.ts';
import { mockClock } from '../support/mock-clock.ts';
import { config } from '../support/settings.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;
const claim = {
  executionId: 'id',
  caller: '',
  requestKey: undefined,
  limits: { seconds: 30, cpu: 1, memory_mb: 64 },
};

function program(mode: RunMode, files: Program['files'] = []): Program {
  return { code: '', stdin: '', args: [], env: {}, files, environment: null, mode };
}

async function framesOf(talk: Talk, given: Program, signal = never): Promise<Frame['type'][]> {
  const types: Frame['type'][] = [];
  const limits = agentLimits(claim.limits, config(), null);
  for await (const frame of talk.run(claim, given, limits, signal, () => undefined)) types.push(frame.type);
  return types;
}

describe('a talk', () => {
  it('goes on over files and runs, whose frames have one sequence', async () => {
    const { wire, say, sent, onLine } = fakeWire();
    const talk = createTalk(wire);
    onLine(({ type, path }) => {
      if (type === 'hello') say(ready);
      if (type === 'write') say({ type: 'written', path: String(path), size: 1 });
      if (type === 'run') say(started, out('a'), exit({ kept: true }));
      if (type === 'list') say({ type: 'listed', entries: 0, left_out: 3 });
    });
    assert.deepEqual(await talk.preload(['numpy'], never), {});
    await talk.files.write('a', Buffer.from('1'), never);
    const expected = ['started', 'stdout', 'exit'];
    assert.deepEqual(await framesOf(talk, program('cell')), expected);
    assert.deepEqual(await talk.files.list('', { recursive: true }, never), { entries: [], left_out: 3 });
    assert.deepEqual(await framesOf(talk, program('program')), expected);
    assert.deepEqual(
      sent.map(({ type, mode }) => mode ?? type),
      ['hello', 'write', 'cell', 'list', 'program'],
    );
  });

  it('waits with the next question for an answer that nobody waits for any more', async () => {
    const { wire, say, sent } = fakeWire();
    const talk = createTalk(wire);
    const stop = new AbortController();
    const reading = talk.files.read('a', 10, stop.signal);
    await until(() => sent.length === 1);
    stop.abort(new Error('gone'));
    await assert.rejects(reading, /gone/);
    const listing = talk.files.list('', { recursive: false }, never);
    say({ type: 'refused', path: 'a', reason: 'missing' });
    await until(() => sent.length === 2);
    say({ type: 'listed', entries: 0, left_out: 0 });
    assert.deepEqual(await listing, { entries: [], left_out: 0 });
  });

  it('asks nothing for who went away before it was asked', async () => {
    const { wire, say, sent } = fakeWire();
    const talk = createTalk(wire);
    const reading = talk.files.read('a', 10, never);
    const stop = new AbortController();
    const writing = talk.files.write('b', Buffer.from('1'), stop.signal);
    await until(() => sent.length === 1);
    stop.abort(new Error('gone'));
    await assert.rejects(writing, /gone/);
    say({ type: 'refused', path: 'a', reason: 'missing' });
    await assert.rejects(reading, { code: 'file_not_found' });
    const listing = talk.files.list('', { recursive: false }, never);
    await until(() => sent.length === 2);
    say({ type: 'listed', entries: 0, left_out: 0 });
    await listing;
    assert.deepEqual(
      sent.map(({ type }) => type),
      ['read', 'list'],
    );
  });

  it('gives up an agent that does not read what it is sent', async (t) => {
    const clock = mockClock(t);
    const { wire } = fakeWire();
    const send = (_bytes: Uint8Array, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
    const writing = createTalk({ ...wire, send }).files.write('a', Buffer.alloc(1), never);
    const lost = assert.rejects(writing, { name: 'SandboxLost', message: /not answered in 60 s/ });
    await clock.pass(61);
    await lost;
  });

  it('gives nobody the answer to another question, which comes too late', async (t) => {
    const clock = mockClock(t);
    const { wire, say, sent } = fakeWire();
    const talk = createTalk(wire);
    const stop = new AbortController();
    const first = talk.files.read('a.txt', 10, stop.signal);
    await clock.pass(0.1);
    stop.abort(new Error('gone'));
    await assert.rejects(first, /gone/);
    const others = [
      assert.rejects(talk.files.read('b.txt', 10, never), { name: 'SandboxLost' }),
      assert.rejects(framesOf(talk, program('cell')), { name: 'SandboxLost' }),
    ];
    await clock.pass(61);
    say({ type: 'file', kind: 'read', path: 'a.txt', size: 0 }, { type: 'file_end', size: 0 });
    await Promise.all(others);
    assert.ok(wire.gone.aborted, 'and the sandbox is not used again');
    assert.equal(sent.length, 1);
  });

  it('says that the sandbox ended before it answered', async () => {
    const { wire, end, sent } = fakeWire();
    const writing = createTalk(wire).files.write('a', Buffer.alloc(1), never);
    await until(() => sent.length === 1);
    end();
    await assert.rejects(writing, { name: 'SandboxLost', message: 'It ended.' });
  });
});

describe('a run in a sandbox that stays', () => {
  it('is asked to stop, and read to its end', async () => {
    const { wire, say, sent, onLine } = fakeWire();
    onLine(({ type }) => {
      if (type === 'run') say(started);
      if (type === 'stop') say(out('rest'), exit({ cause: 'stopped' }));
    });
    const stop = new AbortController();
    const running = framesOf(createTalk(wire), program('cell'), stop.signal);
    await until(() => sent.length === 1);
    stop.abort(new Error('cancelled'));
    assert.deepEqual(await running, ['started', 'stdout', 'exit']);
    assert.deepEqual(sent[1], { type: 'stop', execution_id: 'id' });
  });

  it('is lost where it does not stop', async (t) => {
    const clock = mockClock(t);
    const { wire, say, sent, onLine } = fakeWire();
    onLine(({ type }) => {
      if (type === 'run') say(started);
    });
    const stop = new AbortController();
    const running = framesOf(createTalk(wire), program('cell'), stop.signal);
    const lost = assert.rejects(running, { name: 'SandboxLost', cause: 'cancelled' });
    await until(() => sent.length === 1);
    stop.abort(new Error('cancelled'));
    await clock.pass(16);
    await lost;
  });

  it('has the time for its files that it had, where its caller goes amid them', async (t) => {
    const clock = mockClock(t);
    const { wire, say, sent, onLine } = fakeWire();
    onLine(({ type }) => {
      if (type === 'run') say(started, exit({ files: 1 }));
    });
    const stop = new AbortController();
    const running = framesOf(createTalk(wire), program('cell'), stop.signal);
    await until(() => sent.length === 1);
    await clock.pass(0.1);
    stop.abort(new Error('cancelled'));
    await clock.pass(50);
    say({ type: 'end' });
    assert.deepEqual(await running, ['started', 'exit', 'end']);
  });

  it('leaves no file half sent where its inputs fail, or its caller goes', async () => {
    const failing = async function* () {
      yield await Promise.resolve({ path: 'a', bytes: Buffer.from('1') });
      throw new ServiceError('file_unavailable', 'no answer');
    };
    const { wire, sent } = fakeWire();
    const talk = createTalk(wire);
    await assert.rejects(framesOf(talk, program('cell', failing())), { code: 'file_unavailable' });
    const stop = new AbortController();
    const leaving = async function* () {
      yield await Promise.resolve({ path: 'b', bytes: Buffer.from('1') });
      stop.abort(new Error('cancelled'));
      yield { path: 'b', bytes: Buffer.from('2') };
    };
    await assert.rejects(framesOf(talk, program('cell', leaving()), stop.signal), /cancelled/);
    assert.deepEqual(
      sent.map(({ type }) => type),
      ['file', 'stop', 'file', 'file', 'stop'],
    );
  });
});

describe('a run whose sandbox ends with it', () => {
  it('is not asked to stop: it is left at once', async () => {
    const { wire, say, sent, onLine } = fakeWire();
    onLine(({ type }) => {
      if (type === 'run') say(started);
    });
    const stop = new AbortController();
    const running = framesOf(createTalk(wire), program('single'), stop.signal);
    await until(() => sent.length === 1);
    stop.abort(new Error('cancelled'));
    await assert.rejects(running, /cancelled/);
    assert.equal(sent.length, 1);
  });
});
