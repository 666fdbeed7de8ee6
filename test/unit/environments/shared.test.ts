import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createShared, type Asker } from '../../../src/environments/shared.ts';

const never = new AbortController().signal;

function asker(signal = never): Asker & { lines: string[] } {
  const lines: string[] = [];
  return { signal, lines, onProgress: (line) => lines.push(line) };
}

/** Work that the test ends. */
function work() {
  const end = Promise.withResolvers<string>();
  const begun = { times: 0, say: (_line: string) => undefined as unknown, signal: never };
  return {
    begun,
    end,
    perform: (signal: AbortSignal, say: (line: string) => void) => {
      Object.assign(begun, { times: begun.times + 1, say, signal });
      return end.promise;
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('createShared', () => {
  it('does once what many ask for at one time, and tells all how far it is', async () => {
    const shared = createShared<string>();
    const { begun, end, perform } = work();
    const askers = Array.from({ length: 10 }, () => asker());
    const answers = askers.map((each) => shared.ask('key', perform, each));
    await settled();
    begun.say('half');
    const late = asker();
    const lateAnswer = shared.ask('key', perform, late);
    end.resolve('done');
    assert.deepEqual(await Promise.all([...answers, lateAnswer]), Array(11).fill('done'));
    assert.equal(begun.times, 1);
    assert.ok([...askers, late].every(({ lines }) => lines.join() === 'half'));
  });

  it('does again what is asked for later, and what failed', async () => {
    const shared = createShared<string>();
    const failing = work();
    failing.end.reject(new Error('no'));
    await assert.rejects(shared.ask('key', failing.perform, asker()), /no/);
    const fine = work();
    fine.end.resolve('yes');
    assert.equal(await shared.ask('key', fine.perform, asker()), 'yes');
  });

  it('lets one leave without ending the work of others, or what has begun', async () => {
    const shared = createShared<string>();
    const { begun, end, perform } = work();
    const leave = new AbortController();
    const left = shared.ask('key', perform, asker(leave.signal));
    const stayed = shared.ask('key', perform, asker());
    leave.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    assert.equal(begun.signal.aborted, false);
    end.resolve('done');
    assert.equal(await stayed, 'done');

    const alone = work();
    const leaveAlone = new AbortController();
    const deserted = shared.ask('other', alone.perform, asker(leaveAlone.signal));
    await settled();
    leaveAlone.abort(new Error('gone'));
    await assert.rejects(deserted, /gone/);
    const joined = shared.ask('other', alone.perform, asker());
    alone.end.resolve('done all the same');
    assert.equal(await joined, 'done all the same');
    assert.equal(alone.begun.times, 1);
  });

  it('gives up work that has no place yet when nobody waits for it', async () => {
    let place: AbortSignal | undefined;
    const shared = createShared<string>(
      (signal) =>
        new Promise((_resolve, reject) => {
          place = signal;
          signal.addEventListener('abort', () => {
            reject(new Error('left the queue'));
          });
        }),
    );
    const { begun, perform } = work();
    const leave = new AbortController();
    const answer = shared.ask('key', perform, asker(leave.signal));
    leave.abort(new Error('gone'));
    await assert.rejects(answer, /gone/);
    assert.equal(place?.aborted, true);
    assert.equal(begun.times, 0);
  });

  it('gives its place back, however the work ends', async () => {
    let places = 0;
    const shared = createShared<string>(() => {
      places += 1;
      return Promise.resolve(() => (places -= 1));
    });
    const failing = work();
    failing.end.reject(new Error('no'));
    await assert.rejects(shared.ask('key', failing.perform, asker()), /no/);
    assert.equal(places, 0);
  });

  it('bounds who waits, for all keys together', async () => {
    const shared = createShared<string>();
    const { end, perform } = work();
    const leave = new AbortController();
    const ask = (at: number, signal = never) => shared.ask(`key-${at % 3}`, perform, asker(signal));
    const answers = Array.from({ length: 63 }, (_, at) => ask(at));
    const last = ask(63, leave.signal);
    await assert.rejects(ask(64), {
      code: 'queue_full',
      retryAfterSeconds: 10,
      message: /^64 requests wait/,
    });
    leave.abort(new Error('gone'));
    await assert.rejects(last, /gone/);
    const instead = ask(65);
    end.resolve('done');
    assert.deepEqual(await Promise.all([...answers, instead]), Array(64).fill('done'));
    assert.equal(await ask(66), 'done');
  });

  it('ends all work when it is closed', async () => {
    const shared = createShared<string>();
    const answer = shared.ask(
      'key',
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
      asker(),
    );
    const ended = assert.rejects(answer, { code: 'shutting_down' });
    await settled();
    await shared.close();
    await ended;
    const { begun, perform } = work();
    await assert.rejects(shared.ask('key', perform, asker()), { code: 'shutting_down' });
    assert.equal(begun.times, 0);
  });

  it('does nothing for one who has left already', async () => {
    const { begun, perform } = work();
    const gone = AbortSignal.abort(new Error('gone'));
    await assert.rejects(createShared<string>().ask('key', perform, asker(gone)), /gone/);
    assert.equal(begun.times, 0);
  });
});
