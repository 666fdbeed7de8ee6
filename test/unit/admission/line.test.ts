import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLine } from '../../../src/admission/line.ts';

const never = new AbortController().signal;

describe('createLine', () => {
  it('is empty where nobody waits', () => {
    const line = createLine<number>();
    assert.deepEqual([line.length, line.first], [0, undefined]);
  });

  it('answers in the order of those who wait', async () => {
    const line = createLine<number>();
    const answers = Promise.all([line.wait(never), line.wait(never), line.wait(never)]);
    assert.equal(line.length, 3);
    for (const number of [1, 2, 3]) line.first?.resolve(number);
    assert.deepEqual(await answers, [1, 2, 3]);
    assert.equal(line.length, 0);
  });

  it('keeps the first until it is answered', async () => {
    const line = createLine<number>();
    const waits = line.wait(never);
    assert.equal(line.first, line.first);
    line.first?.resolve(1);
    assert.equal(line.first, undefined, 'at once, before it goes on');
    assert.equal(await waits, 1);
  });

  it('tells the first what stands in its way, and nobody else', async () => {
    const line = createLine<number>();
    const [first, second] = [line.wait(never), line.wait(never)];
    line.first?.reject(new Error('no'));
    await assert.rejects(first, /no/);
    assert.equal(line.length, 1);
    line.first?.resolve(2);
    assert.equal(await second, 2);
  });

  it('lets one go that is aborted, wherever it stands', async () => {
    const line = createLine<string>();
    const stop = new AbortController();
    const waits = [line.wait(never), line.wait(stop.signal), line.wait(never)];
    stop.abort(new Error('enough'));
    await assert.rejects(waits[1] ?? Promise.resolve(), /enough/);
    assert.equal(line.length, 2);
    line.first?.resolve('a');
    line.first?.resolve('b');
    assert.deepEqual([await waits[0], await waits[2]], ['a', 'b']);
  });

  it('does not let one in that is aborted already', async () => {
    const line = createLine<number>();
    await assert.rejects(line.wait(AbortSignal.abort(new Error('gone'))), /gone/);
    assert.equal(line.length, 0);
  });

  it('leaves no listener on a signal', async () => {
    const line = createLine<number>();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...all: Parameters<AbortSignal['addEventListener']>) => {
      listeners += 1;
      addEventListener.apply(signal, all);
    };
    signal.removeEventListener = (...all: Parameters<AbortSignal['removeEventListener']>) => {
      listeners -= 1;
      removeEventListener.apply(signal, all);
    };
    const answered = line.wait(signal);
    line.first?.resolve(1);
    await answered;
    const refused = line.wait(signal);
    line.first?.reject(new Error('no'));
    await assert.rejects(refused);
    assert.equal(listeners, 0);
  });
});
