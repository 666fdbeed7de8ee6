import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createQueue } from '../../../src/admission/queue.ts';
import { ServiceError } from '../../../src/result/errors.ts';

const never = new AbortController().signal;

/** Waits until all that is due without a timer has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function isError(code: string, message: RegExp, retryAfterSeconds?: number) {
  return (error: unknown) => {
    assert.ok(error instanceof ServiceError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.equal(error.retryAfterSeconds, retryAfterSeconds);
    return true;
  };
}

describe('createQueue', () => {
  it('gives as many places as there are', async () => {
    const queue = createQueue({ concurrency: 2, queueLength: 1, queueWaitSeconds: 1 });
    const leave = [await queue.enter(never), await queue.enter(never)];
    assert.deepEqual([queue.running, queue.waiting], [2, 0]);
    leave.forEach((release) => {
      release();
    });
    assert.deepEqual([queue.running, queue.waiting], [0, 0]);
  });

  it('serves those that wait in their order', async () => {
    const queue = createQueue({ concurrency: 1, queueLength: 3, queueWaitSeconds: 1 });
    const order: number[] = [];
    let leave = await queue.enter(never);
    const visits = [1, 2, 3].map(async (number) => {
      const release = await queue.enter(never);
      order.push(number);
      leave = release;
    });
    assert.equal(queue.waiting, 3);
    for (const visit of visits) {
      leave();
      assert.equal(queue.running, 1, 'the place goes from hand to hand');
      await visit;
    }
    leave();
    assert.deepEqual(order, [1, 2, 3]);
    assert.deepEqual([queue.running, queue.waiting], [0, 0]);
  });

  it('refuses when as many wait as may', async () => {
    const queue = createQueue({ concurrency: 1, queueLength: 1, queueWaitSeconds: 1 });
    const leave = await queue.enter(never);
    const next = queue.enter(never);
    await assert.rejects(
      queue.enter(never),
      isError('queue_full', /^1 runs are going on and 1 requests wait, which is as many as may\.$/, 1),
    );
    leave();
    (await next)();
  });

  it('works without a queue', async () => {
    const queue = createQueue({ concurrency: 1, queueLength: 0, queueWaitSeconds: 1 });
    const leave = await queue.enter(never);
    await assert.rejects(queue.enter(never), isError('queue_full', /0 requests wait/, 1));
    leave();
    (await queue.enter(never))();
  });

  it('gives up a wait after its time, and frees its place in the queue', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const queue = createQueue({ concurrency: 1, queueLength: 1, queueWaitSeconds: 7 });
    const leave = await queue.enter(never);
    const next = queue.enter(never);
    const outcome = assert.rejects(next, isError('queue_timeout', /^No place became free in 7 s\.$/, 7));
    t.mock.timers.tick(6999);
    await settled();
    assert.equal(queue.waiting, 1);
    t.mock.timers.tick(1);
    await outcome;
    assert.equal(queue.waiting, 0);
    leave();
    assert.equal(queue.running, 0);
  });

  it('does not time out one that got its place', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const queue = createQueue({ concurrency: 1, queueLength: 1, queueWaitSeconds: 1 });
    const leave = await queue.enter(never);
    const next = queue.enter(never);
    leave();
    const release = await next;
    t.mock.timers.tick(5000);
    assert.equal(queue.running, 1);
    release();
  });

  it('lets a waiting one go when it is aborted, and leaves no timer', async () => {
    const queue = createQueue({ concurrency: 1, queueLength: 2, queueWaitSeconds: 60 });
    const leave = await queue.enter(never);
    const before = timers();
    const abort = new AbortController();
    const aborted = assert.rejects(queue.enter(abort.signal), /enough/);
    const other = queue.enter(never);
    assert.equal(timers(), before + 2);
    abort.abort(new Error('enough'));
    await aborted;
    assert.equal(queue.waiting, 1);
    assert.equal(timers(), before + 1);
    leave();
    const release = await other;
    assert.equal(timers(), before);
    assert.equal(queue.running, 1, 'the aborted one took no place');
    release();
  });

  it('takes no aborted request', async () => {
    const queue = createQueue({ concurrency: 1, queueLength: 1, queueWaitSeconds: 1 });
    await assert.rejects(queue.enter(AbortSignal.abort(new Error('gone'))), /gone/);
    assert.deepEqual([queue.running, queue.waiting], [0, 0]);
  });

  it('gives a place back once, however often it is released', async () => {
    const queue = createQueue({ concurrency: 2, queueLength: 1, queueWaitSeconds: 1 });
    const [first, second] = [await queue.enter(never), await queue.enter(never)];
    first();
    first();
    assert.equal(queue.running, 1);
    second();
    assert.equal(queue.running, 0);
  });

  it('is idle when nobody has a place, and not while one goes from hand to hand', async () => {
    const queue = createQueue({ concurrency: 1, queueLength: 1, queueWaitSeconds: 1 });
    await queue.whenIdle();
    const leave = await queue.enter(never);
    let idle = false;
    const becomes = queue.whenIdle().then(() => (idle = true));
    const next = queue.enter(never);
    leave();
    const release = await next;
    await settled();
    assert.equal(idle, false);
    release();
    await becomes;
  });

  it('takes nobody new once it is closed, and serves those that wait', async () => {
    const queue = createQueue({ concurrency: 1, queueLength: 1, queueWaitSeconds: 1 });
    const leave = await queue.enter(never);
    const next = queue.enter(never);
    queue.close();
    await assert.rejects(
      queue.enter(never),
      isError('shutting_down', /^This server is shutting down and takes no new runs\.$/),
    );
    leave();
    (await next)();
    await assert.rejects(queue.enter(never), isError('shutting_down', /./));
  });
});
